# -*- coding: utf-8 -*-
"""One scheduled job of OpenERP 7: found, locked, checked again, run, signaled.

OpenERP lists due jobs and locks them one by one without looking again, so a
second poller runs a job that has just been finished (fault 4). Here the row's
lock, that it is due, and that we lead are one step; the job itself is run by
OpenERP's own `ir.cron`.
"""
import logging
import resource
import signal

import psycopg2

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.metrics import table
from oe_cluster_launch.seams.openerp7 import cron_clock, cron_fence, cron_receipt, signaling

_DUE = "numbercall <> 0 AND active AND nextcall <= (now() AT TIME ZONE 'UTC')"
_LIST = "SELECT id FROM ir_cron WHERE %s ORDER BY priority, nextcall, id" % _DUE
_LOCK = ("SELECT *, extract(epoch FROM clock_timestamp()) AS oe_cluster_now FROM ir_cron "
         "WHERE id = %%s AND %s FOR UPDATE NOWAIT" % _DUE)
_NEXT = """SELECT extract(epoch FROM min(nextcall) - (now() AT TIME ZONE 'UTC')) FROM ir_cron
            WHERE numbercall <> 0 AND active AND nextcall > (now() AT TIME ZONE 'UTC')"""
_VERSION = "SELECT 1 FROM ir_module_module WHERE name = 'base' AND latest_version = %s"

LOCK_NOT_AVAILABLE = '55P03'
SERIALIZATION_FAILURE = '40001'

#: how an attempt at one job ended
RAN, TAKEN, NOT_OURS = 'ran', 'taken', 'not ours'

#: noted by signal handlers, which must not count themselves: they may interrupt counting
_limits_hit = []

_logger = logging.getLogger(__name__)


class WrongVersion(Exception):
    """The database's `base` is not of the version of this code: it awaits its update."""


class JobTookTooLong(Exception):
    """A job is over its time limit. OpenERP counts it as failed and goes on to the next due time."""


def find_due(cursor, base_version):
    """The ids of due jobs, and the seconds until the next one becomes due (None: never)."""
    cursor.execute(_VERSION, (base_version,))
    if not cursor.fetchone():
        raise WrongVersion("its base module is not of version %s: update it" % base_version)
    cursor.execute(_LIST)
    due = [row[0] for row in cursor.fetchall()]
    cursor.execute(_NEXT)
    seconds = cursor.fetchone()[0]
    return due, None if seconds is None else float(seconds)


class JobRunner(object):
    """Runs jobs in one cron worker.

    :param database_of: OpenERP's `db_connect`
    :param registry_of: OpenERP's `RegistryManager.get`
    """

    def __init__(self, database_of, registry_of, cpu_seconds, real_seconds):
        self._database_of = database_of
        self._registry_of = registry_of
        self._cpu_seconds = cpu_seconds
        self._real_seconds = real_seconds

    def run(self, shift, name, job_id):
        """Run this job if it is still due and we still lead.

        :returns: (RAN, its due time), (TAKEN, None) or (NOT_OURS, None)
        """
        with signaling.coherent():
            # before the lock: loading the models may take longer than a tenure
            jobs = self._registry_of(name)['ir.cron']
            database = self._database_of(name)
            lock_cursor = database.cursor(serialized=False)
            try:
                job = _lock(lock_cursor, job_id)
                if job is None:
                    return TAKEN, None
                now = float(job.pop('oe_cluster_now'))
                job_cursor = database.cursor()
                try:
                    # nothing may come between these two and the job
                    if not cron_fence.is_newest(lock_cursor, shift) or not shift.may_start():
                        return NOT_OURS, None
                    if not cron_receipt.do_second_step(lock_cursor, job):
                        shift.working()
                        began = monotonic()
                        with cron_clock.at(now):
                            self._within_limits(jobs, job_cursor, job, lock_cursor)
                        table.CRON_JOB_SECONDS.observe(monotonic() - began)
                    return RAN, job['nextcall']
                finally:
                    _close(job_cursor)
            finally:
                _close(lock_cursor)

    def _within_limits(self, jobs, job_cursor, job, lock_cursor):
        _logger.debug("job %s starts", job['name'])
        try:
            self._arm()
            try:
                jobs._process_job(job_cursor, job, cron_receipt.LockCursor(lock_cursor, job_cursor, job))
            finally:
                self._disarm()
                for name in set(_limits_hit):
                    table.LIMITS_HIT.count(name)
                del _limits_hit[:]
            cron_receipt.throw_away(lock_cursor, job)
        except JobTookTooLong as error:
            # it came between the job's end and its bookkeeping
            _logger.error("job %s: %s", job['name'], error)

    def _arm(self):
        if self._cpu_seconds:
            used = resource.getrusage(resource.RUSAGE_SELF)
            _, hard = resource.getrlimit(resource.RLIMIT_CPU)
            signal.signal(signal.SIGXCPU, _cpu_time_is_over)
            resource.setrlimit(resource.RLIMIT_CPU, (
                int(used.ru_utime + used.ru_stime + self._cpu_seconds) + 1, hard))
        if self._real_seconds:
            signal.signal(signal.SIGALRM, _real_time_is_over)
            signal.setitimer(signal.ITIMER_REAL, self._real_seconds)

    def _disarm(self):
        signal.setitimer(signal.ITIMER_REAL, 0)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))


def _cpu_time_is_over(number, frame):
    _limits_hit.append('limit_time_cron_cpu')
    raise JobTookTooLong("it has used more processor time than limit_time_cron_cpu allows")


def _real_time_is_over(number, frame):
    _limits_hit.append('limit_time_cron_real')
    raise JobTookTooLong("it has taken longer than limit_time_cron_real allows")


def _lock(cursor, job_id):
    """The job's row, locked; None when it is locked by another or not due any more."""
    try:
        cursor.execute(_LOCK, (job_id,), log_exceptions=False)
    except psycopg2.Error as error:
        if error.pgcode in (LOCK_NOT_AVAILABLE, SERIALIZATION_FAILURE):
            return None
        raise
    return cursor.dictfetchone()


def _close(cursor):
    try:
        cursor.close()
    except psycopg2.Error:
        pass  # its connection is broken, which the job's own error has said
