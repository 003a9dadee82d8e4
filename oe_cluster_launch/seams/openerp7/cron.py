# -*- coding: utf-8 -*-
"""What a cron worker of this host does: look at each database in turn, run what is due, sleep.

One job per database and turn, so that none waits for another's backlog. A
database that is dropped, broken or not yet updated is left alone for a while
and never stops the others. Registries are kept. A worker sleeps until the
next known due time; a job that somebody else makes due is found by a look
every `cron_poll_interval`, shared between the workers of the node.
"""
import logging
import sys
import threading

import psycopg2

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron import processes
from oe_cluster_launch.errors import PostgresUnavailable
from oe_cluster_launch.metrics import table
from oe_cluster_launch.seams.openerp7 import cron_fence, cron_job, cron_sessions, postgres

#: with more databases than this, connections are not kept between looks
MOST_KEPT_OPEN = 8
#: looks per second at most, over all databases and workers of the node
MOST_LOOKS_PER_SECOND = 20.0
#: which databases there are is asked this often
LIST_SECONDS = 60.0
LONGEST_SILENCE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0
#: a due job that did not get a later due time: the clocks of node and PostgreSQL differ
NO_PROGRESS_PAUSE_SECONDS = 1.0
#: a database that knows a newer term: the agent raises ours meanwhile, or ends us
REGISTER_AGAIN_SECONDS = 0.5
#: the one connection that only watches asks this often
WATCH_SECONDS = 1.0
#: how long after a due time to look, so that the host's clock agrees that it has come
DUE_GRACE_SECONDS = 0.02

_logger = logging.getLogger(__name__)


class Turn(object):
    """One database, as one worker sees it."""

    def __init__(self, name, look_at):
        self.name = name
        self.look_at = look_at
        self.registered_term = 0
        self.failures = 0
        self.complaint = None
        self.last_run = None
        self.looked = False
        self.unreachable = False


class CronWork(object):
    """`run_jobs` for OpenERP 7: called with a shift in each cron worker, after the fork.

    :param host: the :class:`Host`; its registries may have been loaded before the fork
    """

    def __init__(self, host, settings):
        self._host = host
        self._config = host.config
        self._poll_seconds = settings.cron_poll_interval
        self._memory_bytes = settings.limit_memory_cron or int(host.config['limit_memory_soft'])
        manager = host.openerp.modules.registry.RegistryManager
        self._sql = host.openerp.sql_db
        self._runner = cron_job.JobRunner(self._sql.db_connect, manager.get,
                                          settings.limit_time_cron_cpu, settings.limit_time_cron_real)
        self._turns = {}
        self._listed_at = None

    def __call__(self, shift):
        cron_sessions.prepare_environment(self._config, shift)
        while not shift.over and not self._is_too_big():
            self._refresh_turns(shift)
            for turn in self._in_order(shift):
                if shift.over or turn.look_at > monotonic():
                    continue
                shift.polling()
                self._take(shift, turn)
            self._say_how_it_is(shift)
            self._host.measure_connections()
            shift.wait(self._seconds_to_next_look())

    def watch(self, shift):
        """No job: only ask PostgreSQL, again and again, whether it is there."""
        cron_sessions.prepare_environment(self._config, shift)
        connection = None
        while not shift.over:
            shift.polling()
            try:
                connection = connection or postgres.connect(self._config, (self._host.databases()
                                                                           or ['postgres'])[0])
                connection.cursor().execute("SELECT 1")
                shift.idle()
            except Exception as error:
                connection = None
                if _is_unreachable(error, str(error)):
                    shift.no_database()
                else:
                    shift.idle()
            shift.wait(WATCH_SECONDS)

    def _in_order(self, shift):
        """Those that have waited longest first; each worker starts at another one."""
        turns = sorted(self._turns.values(), key=lambda turn: (turn.look_at, turn.name))
        start = shift.index * len(turns) // shift.size
        return turns[start:] + turns[:start]

    # ------------------------------------------------------------ one database

    def _take(self, shift, turn):
        """Look at a database, run at most one job, and say when to look again."""
        threading.current_thread().dbname = turn.name
        try:
            if turn.failures:
                postgres.connect(self._config, turn.name).close()  # OpenERP's pool logs a traceback
            self._visit(shift, turn)
            self._recovered(turn)
        except Exception as error:
            self._failed(turn, error)
        finally:
            threading.current_thread().__dict__.pop('dbname', None)
            if len(self._turns) > MOST_KEPT_OPEN:
                self._sql.close_db(turn.name)

    def _visit(self, shift, turn):
        cursor = self._sql.db_connect(turn.name).cursor(serialized=False)
        try:
            cron_sessions.notice_dead_peers(self._sql)
            due, seconds = cron_job.find_due(cursor, self._base_version())
            if turn.registered_term != shift.term and not self._register(shift, turn, cursor):
                turn.look_at = monotonic() + REGISTER_AGAIN_SECONDS
                return
        finally:
            _close(cursor)
        for job_id in due:
            outcome, due_at = self._runner.run(shift, turn.name, job_id)
            table.CRON_JOBS.count(outcome)
            if outcome == cron_job.RAN:
                turn.look_at = self._after_a_job(turn, job_id, due_at)
                return
            if outcome == cron_job.NOT_OURS:
                turn.registered_term = 0
                break
        self._sleep_until_due(shift, turn, seconds)

    def _register(self, shift, turn, cursor):
        if not shift.may_start() or not cron_fence.register(cursor, shift):
            return False
        if shift.predecessor:
            cron_fence.end_sessions_of(cursor, shift.predecessor)
        turn.registered_term = shift.term
        return True

    def _after_a_job(self, turn, job_id, due_at):
        """Look again at once, unless the job is still due at the same moment."""
        again, turn.last_run = turn.last_run == (job_id, due_at), (job_id, due_at)
        return monotonic() + (NO_PROGRESS_PAUSE_SECONDS if again else 0.0)

    def _sleep_until_due(self, shift, turn, seconds):
        """After the first look, which all workers have at once, they take turns."""
        pause = self._interval() * (shift.size if turn.looked else shift.index + 1)
        turn.looked = True
        if seconds is not None:
            pause = min(pause, max(0.0, seconds) + DUE_GRACE_SECONDS)
        turn.look_at = monotonic() + pause

    def _interval(self):
        return max(self._poll_seconds, len(self._turns) / MOST_LOOKS_PER_SECOND)

    # ------------------------------------------------------------ trouble

    def _failed(self, turn, error):
        """Leave the database alone for a while; say why once."""
        turn.failures += 1
        turn.registered_term = 0
        complaint = ' '.join(str(error).split())
        if complaint != turn.complaint:
            expected = isinstance(error, (psycopg2.Error, PostgresUnavailable, cron_job.WrongVersion))
            _logger.warning("database %s: no cron for now: %s", turn.name, complaint, exc_info=not expected)
            turn.complaint = complaint
        turn.unreachable = _is_unreachable(error, complaint)
        silent = all(each.unreachable for each in self._turns.values())
        longest = LONGEST_SILENCE_SECONDS if silent else LONGEST_PAUSE_SECONDS
        turn.look_at = monotonic() + min(longest, 0.5 * 2 ** min(turn.failures - 1, 10))

    def _recovered(self, turn):
        if turn.complaint:
            _logger.info("database %s: cron goes on", turn.name)
        turn.failures = 0
        turn.complaint = None
        turn.unreachable = False

    def _say_how_it_is(self, shift):
        """Databases that await an update do answer; silence is when none can be reached."""
        if self._turns and all(turn.unreachable for turn in self._turns.values()):
            shift.no_database()
        else:
            shift.idle()

    def _is_too_big(self):
        size = processes.resident_bytes()
        if size <= self._memory_bytes:
            return False
        table.LIMITS_HIT.count('limit_memory_cron')
        _logger.info("this cron worker holds %d MB (limit %d MB): another one takes its place",
                     size >> 20, self._memory_bytes >> 20)
        return True

    # ------------------------------------------------------------ which databases

    def _refresh_turns(self, shift):
        if self._listed_at is not None and monotonic() - self._listed_at < LIST_SECONDS:
            return
        try:
            names = self._host.databases() or self._all_databases()
        except Exception as error:
            _logger.warning("the list of databases cannot be read: %s", ' '.join(str(error).split()))
            if not self._turns:
                shift.no_database()
                shift.wait(1.0)
            return
        self._listed_at = monotonic()
        self._turns = dict((name, self._turns.get(name) or Turn(name, monotonic())) for name in names)

    def _all_databases(self):
        return self._host.openerp.netsvc.ExportService._services['db'].exp_list(True)

    def _base_version(self):
        return sys.modules['openerp.addons.base.ir.ir_cron'].BASE_VERSION

    def _seconds_to_next_look(self):
        if not self._turns:
            return self._poll_seconds
        return min(turn.look_at for turn in self._turns.values()) - monotonic()


def _is_unreachable(error, complaint):
    """Whether PostgreSQL itself did not answer, as opposed to one database that is not there."""
    return (isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError, PostgresUnavailable))
            and 'does not exist' not in complaint)


def _close(cursor):
    try:
        cursor.close()
    except psycopg2.Error:
        pass  # its connection is broken; the query has said so
