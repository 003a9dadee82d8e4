# -*- coding: utf-8 -*-
"""The fence: each database remembers the newest cron term it has seen, and from whom.

Redis may forget or give one term twice (flush, failover); PostgreSQL does
not. A worker registers its tenure with a database before its first job there
and asks again under the lock of each job's row. Whoever is not the newest any
more starts nothing, whatever it believes about its lease:

    t0  the old leader is stopped in the middle of everything
    t1  the new leader registers term 8
    t2  the old leader wakes, locks a job's row, reads term 8 where it has 7: starts nothing
"""
import logging

import psycopg2

from oe_cluster_launch.seams.openerp7 import cron_receipt

_CREATE = """
    CREATE TABLE oe_cluster_cron_fence (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        term bigint NOT NULL, token varchar NOT NULL, node varchar NOT NULL,
        since timestamp NOT NULL DEFAULT now())"""
_FIRST_ROW = "INSERT INTO oe_cluster_cron_fence (term, token, node) VALUES (0, '', '')"
_REGISTER = """
    UPDATE oe_cluster_cron_fence
       SET term = %(term)s, token = %(token)s, node = %(node)s, since = now()
     WHERE term < %(term)s"""
_READ = "SELECT term, token FROM oe_cluster_cron_fence"
_END_SESSIONS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND application_name LIKE %s"""

_logger = logging.getLogger(__name__)


def session_name(term, node):
    """What a cron worker's sessions are called in pg_stat_activity (application_name)."""
    return ('oe-cron %d %s' % (term, node))[:63]


def register(cursor, shift):
    """Make this shift's tenure the newest that the database has seen.

    Commits. Safe against others who do the same at the same moment.
    :returns: False when the database knows a newer one, or another of the same
        term; the shift has been told
    """
    _create_if_missing(cursor)
    cron_receipt.create_if_missing(cursor)
    cursor.execute(_REGISTER, {'term': shift.term, 'token': shift.token, 'node': shift.node})
    newest = _read(cursor)
    cursor.commit()
    if newest == (shift.term, shift.token):
        return True
    shift.saw(newest[0])
    return False


def is_newest(cursor, shift):
    """Whether the tenure may still start jobs here. Needs a cursor that sees what others commit."""
    newest = _read(cursor)
    if newest == (shift.term, shift.token):
        return True
    shift.saw(newest[0])
    return False


def end_sessions_of(cursor, term):
    """End the sessions that a vanished leader left in this database, and with them its row locks.

    A leader that hangs (stopped, swapping, cut off) keeps its jobs' rows locked
    for as long as it hangs; ending its sessions rolls those jobs back.
    """
    cursor.execute(_END_SESSIONS, (session_name(term, '').rstrip() + ' %',))
    ended = cursor.fetchone()[0]
    cursor.commit()
    if ended:
        _logger.warning("database %s: ended %d sessions that the vanished leader of term %d had left",
                        cursor.dbname, ended, term)


def _read(cursor):
    cursor.execute(_READ)
    term, token = cursor.fetchone()
    return int(term), str(token)


def _create_if_missing(cursor):
    cursor.execute("SELECT 1 FROM pg_class WHERE relname = 'oe_cluster_cron_fence' AND relkind = 'r'")
    if cursor.fetchone():
        return
    try:
        cursor.execute(_CREATE, log_exceptions=False)
        cursor.execute(_FIRST_ROW, log_exceptions=False)
        cursor.commit()
    except (psycopg2.ProgrammingError, psycopg2.IntegrityError):
        # another worker was faster; if the cause is another, reading fails and says so
        cursor.rollback()
