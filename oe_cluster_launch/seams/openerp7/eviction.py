# -*- coding: utf-8 -*-
"""Getting every process of the cluster off a database while PostgreSQL renames, copies or drops it.

The statement itself keeps new connections out from its start to its end and
waits 5 seconds for old ones to go; then it fails. Meanwhile a thread here ends
those that lie in a pool, which a worker replaces without noticing, and when the
grace is over all. Nothing is left behind when we die in the middle, as a
connection limit would be.
"""
import contextlib
import logging
import threading

import psycopg2

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.errors import PostgresUnavailable
from oe_cluster_launch.seams.openerp7 import postgres

#: less than the 5 seconds that PostgreSQL's statement waits
GRACE_SECONDS = 3.0
INTERVAL_SECONDS = 0.02
#: other roles' sessions are not ours to end; the statement then fails and names their number
_LIST = ("SELECT pid FROM pg_stat_activity "
         "WHERE datname = %s AND usename = current_user AND pid <> pg_backend_pid()")
#: A request's connection, too, is idle between two statements. One that OpenERP has given back
#: to its pool has rolled back last; a request that ended by a commit is told by its silence.
#: Looked at and ended one by one: between a look at all of them and the end of the last one,
#: a connection would have been taken from its pool. What is left of that moment, the cursor
#: covers (transactions.py): it takes another connection when its first statement finds this one ended.
_END_POOLED = ("SELECT pg_terminate_backend(pid) FROM pg_stat_get_activity(%s) "
               "WHERE state = 'idle' AND (query = 'ROLLBACK' "
               "OR state_change < clock_timestamp() - interval '500 ms')")
_END = "SELECT pg_terminate_backend(%s)"

_logger = logging.getLogger(__name__)


@contextlib.contextmanager
def everybody_out(database, grace_seconds=GRACE_SECONDS):
    """Within this block the sessions of our role in a database come to an end.

    :param grace_seconds: how long those at work may go on; 0 is not at all
    """
    from openerp.tools import config
    try:
        connection = postgres.connect(config, 'postgres')
    except PostgresUnavailable as error:
        _logger.warning("cannot end the connections of other processes to %s: %s", database, error)
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_evict, args=(connection.cursor(), database, grace_seconds, over))
    thread.daemon = True
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        connection.close()


def _evict(cursor, database, grace_seconds, over):
    until = monotonic() + grace_seconds
    ended = {True: 0, False: 0}
    try:
        while not over.wait(INTERVAL_SECONDS):
            graceful = monotonic() < until
            cursor.execute(_LIST, (database,))
            for (pid,) in cursor.fetchall():
                cursor.execute(_END_POOLED if graceful else _END, (pid,))
                ended[graceful] += cursor.rowcount
    except psycopg2.Error:
        _logger.exception("cannot end the connections of other processes to %s", database)
    _logger.info("database %s: ended %d unused and %d busy connections", database, ended[True], ended[False])
