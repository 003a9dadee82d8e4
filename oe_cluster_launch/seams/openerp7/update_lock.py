# -*- coding: utf-8 -*-
"""The lock of a database around everything that loads or changes its models.

Shared by processes that only load a registry, exclusive for one that installs,
updates or creates. It is PostgreSQL's advisory lock on a connection of its
own, so it ends with the process or the connection, never later. Within a
thread it can be taken again: OpenERP loads registries while it loads one.
"""
import contextlib
import logging
import threading
import time

import psycopg2

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.errors import LaunchError
from oe_cluster_launch.seams.openerp7 import postgres

#: any number that nobody else uses in an OpenERP database
LOCK_KEY = 7069001
EXCLUSIVE, SHARED = 'exclusive', 'shared'
#: who waits asks so often; a wait inside PostgreSQL could not be interrupted by a signal
ASK_SECONDS = 0.2
#: a machine that vanished without a word keeps the lock for at most a minute
KEEPALIVE = ("SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; "
             "SET tcp_keepalives_count = 3")
_TRY = {EXCLUSIVE: "SELECT pg_try_advisory_lock(%s)", SHARED: "SELECT pg_try_advisory_lock_shared(%s)"}

_logger = logging.getLogger(__name__)
_thread = threading.local()


class DatabaseBusy(LaunchError):
    """Another process has been updating the database for longer than we can wait."""


class Held(object):
    """The lock, held.

    :ivar connection: its own connection
    :ivar waited: whether somebody else had it when we came
    """

    def __init__(self, connection, waited):
        self.connection = connection
        self.waited = waited


@contextlib.contextmanager
def hold(config, database, mode=EXCLUSIVE, limit_seconds=None, before_waiting=lambda: None):
    """Hold the lock of a database; within an outer hold of this thread: share that.

    :param limit_seconds: how long to wait for it; None is as long as it takes
    :param before_waiting: called when somebody else has it
    :raises DatabaseBusy: others have had it for longer than limit_seconds
    :raises PostgresUnavailable: the database cannot be reached
    """
    holds = _thread.__dict__.setdefault('holds', {})
    outer = holds.get(database)
    if outer:
        # t0  A and B load    t1  both want to update    t2  each waits for the other's load to end
        assert outer[0] == EXCLUSIVE or mode == SHARED, "a load of %s must not become an update" % database
        yield outer[1]
        return
    connection = postgres.connect(config, database)
    try:
        cursor = connection.cursor()
        cursor.execute(KEEPALIVE)
        held = Held(connection, _acquire(cursor, database, mode, limit_seconds, before_waiting))
        holds[database] = mode, held
        try:
            yield held
        finally:
            del holds[database]
            if mode == EXCLUSIVE:
                _tell_if_lost(connection, database)
    finally:
        connection.close()


def holds(database):
    """The mode in which this thread holds the lock of a database, or None."""
    mode, _ = _thread.__dict__.get('holds', {}).get(database, (None, None))
    return mode


def _acquire(cursor, database, mode, limit_seconds, before_waiting):
    """Take the lock; True when we had to wait for it."""
    if _try(cursor, mode):
        return False
    before_waiting()
    _logger.info("waiting for another process that updates or loads database %s", database)
    until = None if limit_seconds is None else monotonic() + limit_seconds
    while not _try(cursor, mode):
        if until is not None and monotonic() > until:
            raise DatabaseBusy("Database %s is being updated by another process, which has not finished "
                               "in %d seconds. Please try again later." % (database, limit_seconds))
        time.sleep(ASK_SECONDS)
    return True


def _try(cursor, mode):
    cursor.execute(_TRY[mode], (LOCK_KEY,))
    return cursor.fetchone()[0]


def _tell_if_lost(connection, database):
    try:
        connection.cursor().execute("SELECT 1")
    except psycopg2.Error as error:
        _logger.error("database %s: the connection that held the update lock was lost meanwhile (%s). "
                      "Another process may have updated at the same time: check the database.",
                      database, ' '.join(str(error).split()))
