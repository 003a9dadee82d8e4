# -*- coding: utf-8 -*-
"""The cron workers of this node: started with a tenure, replaced, stopped, killed in time.

A worker that dies is replaced, at once the first time, then with a growing
pause. Workers of an ended tenure are let finish their job or killed at a given
moment; new ones of the next tenure may already run beside them, because the
job's row lock in PostgreSQL keeps two from the same job. Workers die with the
agent. What a worker does is the host's `run_jobs(shift)`.
"""
import logging
import os
import random
import signal

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron import processes
from oe_cluster_launch.cron.duty import Shift
from oe_cluster_launch.metrics import table

#: a worker that lived this long had no fault at its start
SETTLED_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 30.0
#: a job over its time limit that does not end by itself gets this long before SIGKILL
LIMIT_GRACE_SECONDS = 10.0

_logger = logging.getLogger(__name__)


class _Worker(object):
    """One child process and the tenure it was started for."""

    def __init__(self, pid, index, duty, started_at):
        self.pid = pid
        self.index = index
        self.duty = duty
        self.started_at = started_at
        self.kill_at = None
        self.told = False
        self.limit = None


class Crew(object):
    """Lives in the agent process.

    :param run_jobs: called in each worker with its :class:`Shift`; returns when the shift is over
    :param size: workers per tenure
    :param job_seconds: a job that takes longer is killed (0: never)
    :param memory_bytes: a worker that holds more is killed (0: never)
    :param watch: called like `run_jobs`, in one more worker that runs no job: it tells
        whether PostgreSQL can be reached while all others are at a job
    :param after_fork: called in each worker first, to drop what the agent has open
    :param before_exit: called in each worker last, unless it is killed
    :param set_title: called as (role, state)
    """

    def __init__(self, run_jobs, size, job_seconds=0, memory_bytes=0, watch=None,
                 after_fork=lambda: None, before_exit=lambda: None, set_title=lambda role, state: None,
                 clock=monotonic):
        self._run_jobs = run_jobs
        self.size = size
        self._watch = watch
        self._job_seconds = job_seconds
        self._memory_bytes = memory_bytes
        self._after_fork = after_fork
        self._before_exit = before_exit
        self._set_title = set_title
        self._clock = clock
        self._workers = {}
        self._duty = None
        self._pauses = {}    # index -> (seconds, not before)

    def __len__(self):
        return len(self._workers)

    @property
    def pids(self):
        return list(self._workers)

    @property
    def working(self):
        """How many workers are at a job now."""
        return sum(1 for worker in self._workers.values() if worker.duty.working_seconds(worker.index))

    def start(self, duty):
        """Run workers for this tenure from now on."""
        self._duty = duty
        self._pauses = {}
        self.tend()

    def dismiss(self, kill_after_seconds=None):
        """End the tenure: no job starts any more; kill what still runs after that time (None: never)."""
        if self._duty is not None:
            self._duty.end()
            self._duty = None
        for worker in self._workers.values():
            if kill_after_seconds is not None:
                kill_at = self._clock() + kill_after_seconds
                worker.kill_at = kill_at if worker.kill_at is None else min(worker.kill_at, kill_at)
            if not worker.told:
                processes.send(worker.pid, signal.SIGTERM)
                worker.told = True

    def kill(self):
        """Kill every worker now. Safe inside a signal handler."""
        for pid in list(self._workers):
            processes.send(pid, signal.SIGKILL)

    def tend(self):
        """Reap, replace and kill as needed. Called in every cycle of the agent."""
        for worker in list(self._workers.values()):
            ended = processes.reap(worker.pid)
            if ended:
                self._bury(worker, *ended)
            else:
                self._kill_if_due(worker)
        if self._duty is not None:
            self._fill_places()

    def seconds_to_next_duty(self):
        """How long `tend` has nothing to do unless a child ends; None for ever."""
        moments = [worker.kill_at for worker in self._workers.values() if worker.kill_at is not None]
        if self._duty is not None:
            busy = set(worker.index for worker in self._workers.values() if worker.duty is self._duty)
            moments += [moment for index, (_, moment) in self._pauses.items() if index not in busy]
        return max(0.0, min(moments) - self._clock()) if moments else None

    def database_silence_seconds(self):
        """For how long none of the present workers has reached PostgreSQL."""
        if self._duty is None:
            return 0.0
        return self._duty.silence_seconds([worker.index for worker in self._workers.values()
                                           if worker.duty is self._duty])

    def _bury(self, worker, how, code):
        del self._workers[worker.pid]
        table.PROCESSES_ENDED.count('cron worker', worker.limit or ('told' if worker.told else
                                                                    'crashed' if code else 'ended'))
        if worker.duty is not self._duty:
            _logger.debug("cron worker %d of term %d ended: %s", worker.pid, worker.duty.term, how)
            return
        lived = self._clock() - worker.started_at
        pause = self._pauses.get(worker.index, (0.0, 0.0))[0]
        if lived >= SETTLED_SECONDS:
            pause = 0.0
        else:
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2 or 0.5) * random.uniform(0.8, 1.2)
        self._pauses[worker.index] = (pause, self._clock() + pause)
        _logger.log(logging.INFO if code == 0 else logging.WARNING,
                    "cron worker %d ended (%s), another one starts in %.1f s", worker.pid, how, pause)

    def _kill_if_due(self, worker):
        if worker.kill_at is not None and self._clock() >= worker.kill_at:
            _logger.warning("cron worker %d did not end in time: killed", worker.pid)
            processes.send(worker.pid, signal.SIGKILL)
            worker.kill_at = None
            return
        seconds = worker.duty.working_seconds(worker.index)
        if self._job_seconds and seconds > self._job_seconds + LIMIT_GRACE_SECONDS:
            self._limit(worker, 'limit_time_cron_real')
            _logger.error("cron worker %d is at one job for %d s (limit_time_cron_real %d s): killed",
                          worker.pid, seconds, self._job_seconds)
            processes.send(worker.pid, signal.SIGKILL)
        elif self._memory_bytes and processes.resident_bytes(worker.pid) > self._memory_bytes:
            self._limit(worker, 'limit_memory_hard')
            _logger.error("cron worker %d holds more than limit_memory_hard (%d bytes): killed",
                          worker.pid, self._memory_bytes)
            processes.send(worker.pid, signal.SIGKILL)

    @staticmethod
    def _limit(worker, name):
        if not worker.limit:
            worker.limit = name
            table.LIMITS_HIT.count(name)

    def _fill_places(self):
        busy = set(worker.index for worker in self._workers.values() if worker.duty is self._duty)
        for index in range(self.size + (1 if self._watch else 0)):
            if index not in busy and self._clock() >= self._pauses.get(index, (0, 0))[1]:
                self._fork(index)

    def _fork(self, index):
        duty, agent_pid = self._duty, os.getpid()
        duty.start_slot(index)
        table.PROCESSES_STARTED.count('cron worker')
        pid = os.fork()
        if pid == 0:
            self._be_worker(agent_pid, Shift(duty, index, self.size))
        self._workers[pid] = _Worker(pid, index, duty, self._clock())

    def _serve(self, shift):
        watching = shift.index == self.size
        self._set_title('cron watch' if watching else 'cron worker', 'term %d' % shift.term)
        (self._watch if watching else self._run_jobs)(shift)

    def _be_worker(self, agent_pid, shift):
        """The child: never returns."""
        code = 1
        try:
            processes.reset_signals()
            shift.listen(processes.wake_pipe())
            signal.signal(signal.SIGTERM, shift.stop)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if processes.die_with_parent(agent_pid):
                self._after_fork()
                random.seed()
                os.nice(10)
                try:
                    self._serve(shift)
                finally:
                    self._before_exit()
                code = 0
        except Exception:
            _logger.exception("cron worker failed")
        finally:
            logging.shutdown()
            os._exit(code)
