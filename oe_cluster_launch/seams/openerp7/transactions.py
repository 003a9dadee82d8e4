# -*- coding: utf-8 -*-
"""OpenERP's cursor, with its commits and rollbacks known to the ormcache and to signaling.

An answer computed through a cursor may be believed by others only when that
cursor commits, and a change may be signaled only then. A thread that nobody
gave boundaries is served here too: its changes are signaled at each commit.
"""
from oe_cluster_launch.ormcache import request
from oe_cluster_launch.ormcache.request import Transaction
from oe_cluster_launch.seams.openerp7 import signaling
from oe_cluster_launch.seams.seam import BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Class

_WRITING_METHODS = frozenset(('executemany', 'copy_from', 'copy_expert', 'callproc'))


def cluster_cursor(original, context):
    """The subclass of OpenERP's Cursor that all new cursors are of."""

    class ClusterCursor(original):

        #: of a cursor whose connection could not be made: nothing to tell
        ormcache_transaction = None

        def __init__(self, pool, dbname, serialized=True):
            super(ClusterCursor, self).__init__(pool, dbname, serialized)
            self.ormcache_transaction = Transaction(dbname)

        def execute(self, query, params=None, log_exceptions=None):
            transaction = self.ormcache_transaction
            if not transaction.wrote and query.lstrip()[:6].lower() != 'select':
                transaction.wrote = True
            return super(ClusterCursor, self).execute(query, params, log_exceptions)

        def __getattr__(self, name):
            if name in _WRITING_METHODS:
                self.ormcache_transaction.wrote = True
            return super(ClusterCursor, self).__getattr__(name)

        def autocommit(self, on):
            super(ClusterCursor, self).autocommit(on)
            if self.ormcache_transaction is not None:
                self.ormcache_transaction.autocommit = bool(on)
            if on:  # from here on every statement is committed as it is executed
                request.current().database(self.dbname).committed = True

        def commit(self):
            try:
                result = super(ClusterCursor, self).commit()
            except Exception:
                self.ormcache_transaction.rolled_back()
                raise
            self.ormcache_transaction.committed()
            signaling.after_commit(self.dbname)
            return result

        def rollback(self):
            result = super(ClusterCursor, self).rollback()
            self.ormcache_transaction.rolled_back()
            return result

        def _close(self, leak=False):
            was_open = self._obj
            try:
                return super(ClusterCursor, self)._close(leak)
            finally:
                if was_open and self.ormcache_transaction is not None:
                    self.ormcache_transaction.closed()
                    signaling.after_close(self.dbname)

    ClusterCursor.__name__ = original.__name__
    return ClusterCursor


_CHECKED = ('self', '*args', '**kwargs')

SEAMS = [
    Seam('cursor', 'openerp.sql_db', 'Cursor',
         Class(__init__=('self', 'pool', 'dbname', 'serialized'), execute=_CHECKED, commit=_CHECKED,
               rollback=_CHECKED, autocommit=_CHECKED, _close=('self', 'leak')),
         cluster_cursor,
         "answers computed from uncommitted rows would be cached, and signals sent before the commit",
         phase=BEFORE_ADDONS),
]
