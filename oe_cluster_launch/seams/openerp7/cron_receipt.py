# -*- coding: utf-8 -*-
"""The receipt: a finished job is never run twice, though OpenERP commits it in two steps.

OpenERP commits a job's work first and its next due time second, on two
connections. Between them a crash leaves a finished job that is still due:

    t0  the job's work is committed
    t1  the worker is killed, or its second connection is ended
    t2  the next leader finds the job due and would run it again

So the next due time is also written into the job's own transaction, as a
receipt. Whoever finds a due job with a receipt for that due time only does
the second step. A receipt is thrown away when both steps are done.
"""
import psycopg2
import psycopg2.extensions

_CREATE = """
    CREATE TABLE oe_cluster_cron_receipt (
        job_id integer PRIMARY KEY, due timestamp NOT NULL,
        nextcall timestamp NOT NULL, numbercall integer NOT NULL)"""
_WRITE = """
    INSERT INTO oe_cluster_cron_receipt (job_id, due, nextcall, numbercall) VALUES (%s, %s, %s, %s)"""
_THROW_AWAY = "DELETE FROM oe_cluster_cron_receipt WHERE job_id = %s"
_FIND = "SELECT nextcall, numbercall FROM oe_cluster_cron_receipt WHERE job_id = %s AND due = %s"
_SECOND_STEP = """
    UPDATE ir_cron SET nextcall = %s, numbercall = %s, active = active AND %s <> 0 WHERE id = %s"""
#: how OpenERP's own second step begins; its parameters are (nextcall, numbercall, id)
_OPENERP_SECOND_STEP = 'UPDATE ir_cron SET nextcall='


class LockCursor(object):
    """The cursor that holds the job's row, given to OpenERP; leaves a receipt in the job's transaction."""

    def __init__(self, cursor, job_cursor, job):
        self._cursor = cursor
        self._job_cursor = job_cursor
        self._job = job

    def __getattr__(self, name):
        return getattr(self._cursor, name)

    def execute(self, query, params=None, log_exceptions=None):
        if query.startswith(_OPENERP_SECOND_STEP) and not _is_aborted(self._job_cursor):
            nextcall, numbercall = params[0], params[1]
            self._job_cursor.execute(_THROW_AWAY, (self._job['id'],))
            self._job_cursor.execute(_WRITE, (self._job['id'], self._job['nextcall'], nextcall, numbercall))
        return self._cursor.execute(query, params, log_exceptions)


def do_second_step(cursor, job):
    """Finish the bookkeeping of a job whose work is committed. Whether there was such a receipt.

    :param cursor: the one that holds the job's row lock; committed if so
    """
    cursor.execute(_FIND, (job['id'], job['nextcall']))
    found = cursor.fetchone()
    if not found:
        return False
    cursor.execute(_SECOND_STEP, (found[0], found[1], found[1], job['id']))
    throw_away(cursor, job)
    return True


def throw_away(cursor, job):
    """Both steps are done: forget the receipt, so that a person may set the same due time again."""
    cursor.execute(_THROW_AWAY, (job['id'],))
    cursor.commit()


def create_if_missing(cursor):
    """The table, once per database. Commits; safe against others who do the same."""
    cursor.execute("SELECT 1 FROM pg_class WHERE relname = 'oe_cluster_cron_receipt' AND relkind = 'r'")
    if cursor.fetchone():
        return
    try:
        cursor.execute(_CREATE, log_exceptions=False)
        cursor.commit()
    except (psycopg2.ProgrammingError, psycopg2.IntegrityError):
        cursor.rollback()  # another worker was faster


def _is_aborted(cursor):
    """Whether the job swallowed an error of PostgreSQL, so that its commit will be a rollback."""
    status = cursor._cnx.get_transaction_status()
    return status == psycopg2.extensions.TRANSACTION_STATUS_INERROR
