# -*- coding: utf-8 -*-
"""Every load of a registry, wherever it comes from, waits for updates of its database.

OpenERP loads and updates whenever a process meets a database: workers that
start during an upgrade load half of it, two installations from the web do the
same work at the same time, and two first loads create the same sequences
(faults 11 and 13). Here loads share the update lock and updates hold it alone.
"""
import contextlib

from oe_cluster_launch.seams.openerp7 import postgres, update_lock
from oe_cluster_launch.seams.seam import BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Function

#: longest wait for somebody else's update
UPDATE_WAIT_SECONDS = 600
#: the same for a load in the middle of a transaction. Its locks may be what the update waits
#: for, and PostgreSQL sees no deadlock between two sessions of one process
TRANSACTION_WAIT_SECONDS = 10
ONCE = ('init', 'update', 'demo')


def locked_new(original, context):
    """RegistryManager.new under the update lock."""
    @classmethod
    def new(cls, db_name, force_demo=False, status=None, update_module=False):
        # The process's lock first: RegistryManager.get comes here with it.
        with cls.registries_lock, _lock(db_name, update_module), _once_only(update_module):
            return original(db_name, force_demo, status, update_module)
    return new


@contextlib.contextmanager
def _lock(database, updates):
    from openerp.tools import config
    wait = UPDATE_WAIT_SECONDS if updates or not _in_transaction(database) else TRANSACTION_WAIT_SECONDS
    if not updates:
        with update_lock.hold(config, database, update_lock.SHARED, wait) as held:
            if update_lock.holds(database) == update_lock.EXCLUSIVE or not _creates(held.connection):
                yield
                return
    with update_lock.hold(config, database, update_lock.EXCLUSIVE, wait):
        yield


def _in_transaction(database):
    from openerp import sql_db
    pool = sql_db._Pool
    wanted = sql_db.dsn(database)
    return pool is not None and any(used and sql_db.dsn_are_equals(connection.dsn, wanted)
                                    for connection, used in pool._connections[:])


def _creates(connection):
    """Whether even a plain load would create something: the schema, or the signaling sequences."""
    cursor = connection.cursor()
    cursor.execute("SELECT 1 FROM pg_class WHERE relkind = 'S' AND relname = 'base_cache_signaling'")
    return not cursor.fetchall() or not postgres.is_initialized(connection)


@contextlib.contextmanager
def _once_only(updates):
    """A plain load finds no -i and -u in the process's options; an update leaves none behind."""
    from openerp.tools import config
    if not updates:
        config.options.update((kind, {}) for kind in ONCE)
    try:
        yield
    finally:
        config.options.update((kind, {}) for kind in ONCE)


SEAMS = [
    Seam('registry lock', 'openerp.modules.registry', 'RegistryManager.new',
         Function('cls', 'db_name', 'force_demo', 'status', 'update_module'), locked_new,
         "workers and nodes would update, install or first load a database at the same time",
         phase=BEFORE_ADDONS),
]
