# -*- coding: utf-8 -*-
"""THE table: every attribute of OpenERP 7.0 that we replace, subject by subject."""
from oe_cluster_launch.seams.openerp7 import (
    boundaries,
    connections,
    credentials,
    cron_clock,
    database_creation,
    databases,
    identity,
    openid,
    ormcache,
    pool,
    registry_lock,
    repetition,
    reports,
    requests,
    sessions,
    transactions,
    webdav,
    xml_rpc,
)

SEAMS = (requests.SEAMS + repetition.SEAMS + sessions.SEAMS + openid.SEAMS + connections.SEAMS + pool.SEAMS
         + transactions.SEAMS + boundaries.SEAMS + credentials.SEAMS + ormcache.SEAMS + identity.SEAMS
         + reports.SEAMS + registry_lock.SEAMS + databases.SEAMS + database_creation.SEAMS + webdav.SEAMS
         + cron_clock.SEAMS + xml_rpc.SEAMS)
