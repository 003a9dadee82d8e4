# -*- coding: utf-8 -*-
"""THE table: every attribute of OpenERP 7.0 that we replace, subject by subject."""
from oe_cluster_launch.seams.openerp7 import (
    boundaries,
    credentials,
    identity,
    openid,
    ormcache,
    reports,
    requests,
    sessions,
    transactions,
)

SEAMS = (requests.SEAMS + sessions.SEAMS + openid.SEAMS + transactions.SEAMS + boundaries.SEAMS
         + credentials.SEAMS + ormcache.SEAMS + identity.SEAMS + reports.SEAMS)
