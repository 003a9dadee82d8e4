# -*- coding: utf-8 -*-
"""Attachments that OpenERP keeps as files of one node (`ir_attachment.location`).

With `file:` the content lies below OpenERP's own folder; a node that does not
have the file answers with an empty one (fault 17). A location inside one of
`shared_paths` is fine; any other is told at the start, and refused if the
operator says so. A location set later is told at the next start.
"""
import logging
import os
import re

from oe_cluster_launch import shared_paths
from oe_cluster_launch.errors import ConfigurationError, Fault
from oe_cluster_launch.seams.openerp7 import postgres

PARAMETER = 'ir_attachment.location'

_logger = logging.getLogger(__name__)


def check(host, settings):
    """Look at each configured database.

    :raises ConfigurationError: attachments are files of this node, and local_attachments = refuse
    """
    found = faults(host, settings)
    if found and settings.local_attachments == 'refuse':
        raise ConfigurationError(found)
    for fault in found:
        _logger.error("%s", fault)


def faults(host, settings):
    """A fault for each configured database whose attachments other nodes do not have."""
    return [fault for fault in (_fault(host.config, settings.shared_paths, database)
                                for database in host.databases()) if fault]


def folder_of(config, location, database):
    """Where OpenERP keeps the files of a database for that location."""
    below_root = re.sub('[.]', '', location[len('file:'):]).strip('/\\')
    return os.path.join(config['root_path'], below_root, database)


def _fault(config, shared, database):
    location = _location(config, database)
    if not location or not location.startswith('file:'):
        return None
    folder = folder_of(config, location, database)
    if shared_paths.covers(shared, folder):
        return None
    return Fault(PARAMETER, location, "attachments of database %s are files in %s, which other nodes "
                 "do not have: they answer with empty files" % (database, folder),
                 "Mount that folder on every node and name it in shared_paths, or delete the system "
                 "parameter %s to keep attachments in PostgreSQL" % PARAMETER)


def _location(config, database):
    connection = postgres.connect(config, database)
    try:
        if not postgres.is_initialized(connection):
            return None
        cursor = connection.cursor()
        cursor.execute("SELECT value FROM ir_config_parameter WHERE key = %s", (PARAMETER,))
        row = cursor.fetchone()
        return row and row[0]
    finally:
        connection.close()
