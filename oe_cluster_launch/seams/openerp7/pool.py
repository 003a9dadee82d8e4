# -*- coding: utf-8 -*-
"""OpenERP's pool of PostgreSQL connections, whose usual case is cheap.

OpenERP takes apart the parameters of every connection it holds to find one
that fits, and formats what nobody logs, twice or more in each short RPC. Here
a connection remembers the words it was asked for with. Whatever else there is
to a pool (new, dead, leaked connections, too many of them) stays OpenERP's.
"""
import psycopg2

from oe_cluster_launch.seams.seam import BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Class


def idle(pool, dsn):
    """A connection that lies in the pool and was last asked for with the same words, now in use; or None."""
    with pool._lock:
        for place, (connection, used) in enumerate(pool._connections):
            if not used and getattr(connection, 'asked_for', None) == dsn and not connection.closed:
                try:
                    connection.reset()
                except psycopg2.OperationalError:
                    return None  # OpenERP's own borrow() finds that out, too, and goes on from there
                pool._connections.append((pool._connections.pop(place)[0], True))
                return connection
    return None


def quick_pool(original, context):
    """OpenERP's pool, which looks first where a connection nearly always lies."""

    class QuickPool(original):

        def borrow(self, dsn):
            connection = idle(self, dsn)
            if connection is None:
                connection = super(QuickPool, self).borrow(dsn)
                connection.asked_for = dsn
            return connection

        def give_back(self, connection, keep_in_pool=True):
            with self._lock:
                for place, (held, _used) in enumerate(self._connections if keep_in_pool else ()):
                    if held is connection:
                        self._connections.append((self._connections.pop(place)[0], False))
                        return
            super(QuickPool, self).give_back(connection, keep_in_pool)

    QuickPool.__name__ = original.__name__
    return QuickPool


SEAMS = [
    Seam('pool', 'openerp.sql_db', 'ConnectionPool',
         Class(__init__=('self', 'maxconn'), borrow=('self', '*args', '**kwargs'),
               give_back=('self', '*args', '**kwargs')), quick_pool,
         "finding a connection would take longer than what most requests do with it", phase=BEFORE_ADDONS),
]
