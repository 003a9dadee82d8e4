# -*- coding: utf-8 -*-
"""auth_openid's store in Redis instead of a folder of one node. Silent when the addon is absent.

The controller makes its store when it is imported, in its class body, so the
attribute of the class is replaced; every use looks it up there.
"""
from __future__ import absolute_import  # or `import openid` would be this file

from oe_cluster_launch.openid_store import RedisOpenIDStore
from oe_cluster_launch.seams.seam import Seam
from oe_cluster_launch.seams.shape import Instance


def openid_store(original, context):
    """Made in the master; each worker opens its own connection."""
    from openid.association import Association
    from openid.store import nonce
    return RedisOpenIDStore(context.store, context.sealing, Association, lambda: nonce.SKEW)


SEAMS = [
    Seam('openid store', 'openerp.addons.auth_openid.controllers.main', 'OpenIDController._store',
         Instance('FileOpenIDStore', 'storeAssociation', 'getAssociation', 'removeAssociation', 'useNonce'),
         openid_store,
         why="a log-in begun on one node ends on another, and an answer must be used only once",
         setting='shared_sessions', optional=True),
]
