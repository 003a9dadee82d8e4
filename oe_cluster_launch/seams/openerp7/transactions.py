# -*- coding: utf-8 -*-
"""OpenERP's cursor, with its commits and rollbacks known to the ormcache and to signaling.

An answer computed through a cursor may be believed by others only when that
cursor commits, and a change may be signaled only then. A thread that nobody
gave boundaries is served here too: its changes are signaled at each commit.
A connection that was ended while it lay in the pool is replaced unnoticed.
One that ended later is told to repetition.py, and so is all that may have
been committed.
"""
import psycopg2
from psycopg2 import errorcodes

from oe_cluster_launch.ormcache import request
from oe_cluster_launch.ormcache.request import Transaction
from oe_cluster_launch.seams.openerp7 import beginnings, postgres, repetition, signaling
from oe_cluster_launch.seams.seam import BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Class

_WRITING_METHODS = frozenset(('executemany', 'copy_from', 'copy_expert', 'callproc'))
_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)
_ENDED = (errorcodes.ADMIN_SHUTDOWN, errorcodes.CRASH_SHUTDOWN)


def cluster_cursor(original, context):
    """The subclass of OpenERP's Cursor that all new cursors are of."""

    class ClusterCursor(original):

        #: of a cursor whose connection could not be made: nothing to tell
        ormcache_transaction = None

        def __init__(self, pool, dbname, serialized=True):
            try:
                super(ClusterCursor, self).__init__(pool, dbname, serialized)
            except _LOST:
                # Perhaps ended while it was being made, which not every such error says. Once more,
                # at once: who has no PostgreSQL, or no such database, does not wait for it
                self._make_again(pool, dbname, serialized)
            self.ormcache_transaction = Transaction(dbname)
            self._begun = False

        def _make_again(self, pool, dbname, serialized):
            try:
                super(ClusterCursor, self).__init__(pool, dbname, serialized)
            except psycopg2.OperationalError as error:
                if error.pgcode in _ENDED:
                    repetition.note('lost')
                raise

        def execute(self, query, params=None, log_exceptions=None):
            transaction = self.ormcache_transaction
            if not transaction.wrote and query.lstrip()[:6].lower() != 'select':
                transaction.wrote = True
            if transaction.autocommit:
                self._point_of_no_return()
            try:
                result = super(ClusterCursor, self).execute(query, params, log_exceptions)
            except _LOST:
                # t0 taken from the pool   t1 ended by another node (eviction.py)   t2 used.
                # Nothing has been read or written through it: another one serves as well
                if self._begun or transaction.autocommit or not self._cnx.closed:
                    raise
                self._take_another_connection()
                result = super(ClusterCursor, self).execute(query, params, log_exceptions)
            self._begun = True
            return result

        def fetch_prepared(self, statement, values=()):
            """The only row of a connections.Prepared, in single_statements() alone."""
            try:
                row = self._cnx.fetch_prepared(statement, values)
            except _LOST:
                if self._begun or not self._cnx.closed:
                    raise
                self._take_another_connection()
                row = self._cnx.fetch_prepared(statement, values)
            self._begun = True
            return row

        def _point_of_no_return(self):
            """What is sent next may stay. Known to be in vain, it is not sent."""
            if postgres.has_ended(self._cnx):
                self._cnx.close()
                repetition.note('lost')
                raise psycopg2.OperationalError("the server has ended the connection")
            repetition.note('committing')

        def _take_another_connection(self):
            try:
                self._pool.give_back(self._cnx, keep_in_pool=False)
            except psycopg2.Error:
                pass  # the pool has found it dead already
            other = original(self._pool, self.dbname, self._serialized)
            if self._cnx.level is None:
                other._cnx.begin_autocommit()
            self._cnx, self._obj = other._cnx, other._obj
            # `other` is not to give back what is ours now when it is collected
            other._Cursor__closed = True

        def __getattr__(self, name):
            if name in _WRITING_METHODS:
                self.ormcache_transaction.wrote = True
                if self.ormcache_transaction.autocommit:
                    repetition.note('committing')
            return super(ClusterCursor, self).__getattr__(name)

        def autocommit(self, on):
            super(ClusterCursor, self).autocommit(on)
            if self.ormcache_transaction is not None:
                self.ormcache_transaction.autocommit = bool(on)
            if on:  # from here on every statement is committed as it is executed
                request.current().database(self.dbname).committed = True

        def commit(self):
            sends = False
            try:
                if beginnings.in_transaction(self._cnx):
                    self._point_of_no_return()
                    sends = True
                result = super(ClusterCursor, self).commit()
            except Exception:
                if sends and self._cnx.closed:
                    repetition.note('unknown')
                self.ormcache_transaction.rolled_back()
                raise
            self.ormcache_transaction.committed()
            signaling.after_commit(self.dbname)
            return result

        def rollback(self):
            try:
                return super(ClusterCursor, self).rollback()
            except _LOST:
                if not self._cnx.closed:
                    raise
                repetition.note('lost')  # and rolled back by that
            finally:
                self.ormcache_transaction.rolled_back()

        def _close(self, leak=False):
            was_open = self._obj
            try:
                return super(ClusterCursor, self)._close(leak)
            except _LOST:
                # Who closes wants no more of it: after a COMMIT an error would be a lie, and
                # before it, it would hide the one that told of the loss
                if not self._cnx.closed:
                    raise
                repetition.note('lost')
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
