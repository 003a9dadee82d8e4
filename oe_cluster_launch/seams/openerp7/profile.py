# -*- coding: utf-8 -*-
"""What this node is, for its record in the cluster: version, addons, databases, PostgreSQL.

Read once in the master, after the addons were imported and before the fork.
Nothing here is secret: the record can be read by whoever can read Redis.
"""
import hashlib
import logging
import os

from oe_cluster_launch.errors import PostgresUnavailable
from oe_cluster_launch.seams.openerp7 import postgres

#: what a change of which changes behaviour; compiled files and translations do not count
SOURCES = ('.py', '.xml', '.csv', '.js')

_logger = logging.getLogger(__name__)


def describe(host):
    """The host's part of the membership record, as a dictionary."""
    return {
        'address': '%s:%d' % host.address,
        'workers': host.workers,
        'host_version': host.version,
        'addons': addons_fingerprint(host.config['addons_path'].split(',')),
        'databases': host.databases() or ['*'],
        'postgres': postgres_identity(host.config, host.databases()),
    }


def addons_fingerprint(folders):
    """Names and sizes of all sources of all addons, as eight characters.

    Sizes instead of contents: a node must start in seconds, and packages of
    one version have the same. Where the folder lies does not matter.
    """
    found = set()
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                if name.endswith(SOURCES):
                    path = os.path.join(parent, name)
                    found.add('%s %d' % (os.path.relpath(path, folder), os.path.getsize(path)))
    return hashlib.sha1('\n'.join(sorted(found)).encode('utf-8')).hexdigest()[:8]


def postgres_identity(config, databases):
    """What tells one PostgreSQL from another, whatever address it is reached by; '' when unknown."""
    try:
        connection = postgres.connect(config, (databases or ['postgres'])[0])
    except PostgresUnavailable as error:
        _logger.warning("cannot tell which PostgreSQL this is: %s", error)
        return ''
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT system_identifier FROM pg_control_system()")
        return str(cursor.fetchone()[0])
    except Exception as error:  # before PostgreSQL 9.6 there is no such function
        _logger.debug("PostgreSQL does not tell its identifier: %s", error)
        return ''
    finally:
        connection.close()
