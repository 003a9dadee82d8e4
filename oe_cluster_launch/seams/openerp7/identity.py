# -*- coding: utf-8 -*-
"""Which database a name stands for now: its name and its PostgreSQL oid.

A database that is dropped and created again keeps its name, and its signaling
sequences begin anew, so that a worker could take it for the old one. Dropping
ends every connection, hence each worker must open a new one before it can see
the new database: every new connection asks for the oid, and another one makes
the registry that this process holds out of date.
"""
import logging

import psycopg2

from oe_cluster_launch.compat import native
from oe_cluster_launch.seams.seam import BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Class, Function

#: a sequence never has this value, so the next check reloads the registry
NEVER = -1

_logger = logging.getLogger(__name__)
#: database name -> oid, as far as this process has been connected
_oids = {}


def of(database):
    """The identity of a database: text that no other database, past or future, has."""
    name = native(database)
    if name not in _oids:
        from openerp import sql_db
        sql_db.db_connect(database).cursor().close()
    return '%s:%d' % (name, _oids[name])


def note(database, oid):
    """A new connection has reached the database with that oid."""
    before = _oids.get(database)
    _oids[database] = oid
    if before not in (None, oid):
        _logger.info("database %s is another one than before (oid %d, was %d): forgetting what "
                     "is known of it", database, oid, before)
        _outdate(database)


def forget(database):
    """The database is gone, or about to be; the next connection tells what the name stands for."""
    _oids.pop(native(database), None)
    _outdate(database)


def _outdate(database):
    """Whatever this process remembers of the old database must not be used any more."""
    from openerp.modules.registry import RegistryManager
    registry = RegistryManager.registries.get(database)
    if registry is not None and registry.base_registry_signaling_sequence is not None:
        registry.base_registry_signaling_sequence = NEVER
    users = registry and registry.get('res.users')
    if users is not None:
        users._uid_cache.pop(database, None)


def asking_connection(original, context):
    """OpenERP's class of connections; each asks where it is before it is used."""

    class AskingConnection(original):

        def __init__(self, *args, **kwargs):
            super(AskingConnection, self).__init__(*args, **kwargs)
            cursor = self.cursor()
            cursor.execute("SELECT datname, oid FROM pg_database WHERE datname = current_database()")
            note(*cursor.fetchone())
            cursor.close()
            self.rollback()

    AskingConnection.__name__ = original.__name__
    return AskingConnection


def outdated(database):
    """Whether this process holds a registry of an older database of that name."""
    from openerp.modules.registry import RegistryManager
    registry = RegistryManager.registries.get(database)
    return registry is not None and registry.base_registry_signaling_sequence == NEVER


def renewing_get(original, context):
    """A new database of an old name may have no sequences yet to compare: begin anew with it."""
    @classmethod
    def get(cls, db_name, force_demo=False, status=None, update_module=False):
        try:
            return original(db_name, force_demo, status, update_module)
        except psycopg2.ProgrammingError:
            if not outdated(db_name):
                raise
            cls.delete(db_name)
            return original(db_name, force_demo, status, update_module)
    return get


SEAMS = [
    Seam('connection', 'openerp.sql_db', 'PsycoConnection', Class(), asking_connection,
         "a database created under the name of a dropped one would be served from its caches",
         phase=BEFORE_ADDONS),
    Seam('renewed registry', 'openerp.modules.registry', 'RegistryManager.get',
         Function('cls', 'db_name', 'force_demo', 'status', 'update_module'), renewing_get,
         "a database restored under an old name could not be opened by workers that knew the old one",
         phase=BEFORE_ADDONS),
]
