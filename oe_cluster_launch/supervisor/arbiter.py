# -*- coding: utf-8 -*-
"""The master: gunicorn's arbiter, with OpenERP preloaded, and without its known faults.

Ours: no signal is dropped and no work is done inside a handler, monotonic
heartbeats on the board, respawn with back-off, supervised children, reports to the
keeper, and a stop that loses no connection (shutdown.py). Sockets, worker
bookkeeping, TTIN and TTOU are gunicorn's. Reloads are the keeper's affair.
"""
import collections
import errno
import logging
import os
import signal
import socket
import sys

from gunicorn import sock
from gunicorn.arbiter import Arbiter

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.current_request import sentence
from oe_cluster_launch.errors import EXIT_SOFTWARE, BootFailure, LaunchError
from oe_cluster_launch.metrics import table
from oe_cluster_launch.supervisor import figures, linux
from oe_cluster_launch.supervisor.keeper_io import how_it_ended
from oe_cluster_launch.supervisor.signals import SignalHandling
from oe_cluster_launch.supervisor.titles import set_title

_logger = logging.getLogger(__name__)

#: so many workers in a row that end before they are ready, and none ever was: give up
HOPELESS_BOOTS = 5
LONGEST_BACKOFF_SECONDS = 30
#: the worker itself ends a request at limit_time_real; this much later the master kills it
BACKSTOP_SECONDS = 10
#: a child that starts early holds up the node's readiness no longer than this
EARLY_SECONDS = 10
#: an idle worker says every second that it lives
IDLE_SILENT_SECONDS = 60


class NodeArbiter(SignalHandling, Arbiter):
    """The master of one node.

    :ivar handover: what the keeper has given us
    :ivar children: :class:`ChildProcess` objects, started when the HTTP workers are ready
    """

    #: exit codes are those of errors.py, so that a unit file can name them
    WORKER_BOOT_ERROR = EXIT_SOFTWARE
    APP_LOAD_ERROR = EXIT_SOFTWARE

    def __init__(self, app, handover, children=()):
        self.handover = handover
        self.board = app.board
        self.status_listener = None
        self.children = list(children)
        self.shutdown = None
        self.reported_ready = False
        self.all_booted_at = None
        self.ever_ready = False
        self.boot_failures = 0
        self.spawn_at = 0.0
        super(NodeArbiter, self).__init__(app)
        self.SIG_QUEUE = collections.deque()
        figures.describe(self.node)
        self.WORKERS = {}
        self.LISTENERS = []

    @property
    def node(self):
        return self.app.node

    @property
    def stopping(self):
        """Whether workers have been told to leave, so that none is to be replaced."""
        return bool(self.shutdown and self.shutdown.told)

    # -- life ------------------------------------------------------------

    def start(self):
        self.pid = os.getpid()
        set_title(self.node.name, 'master', 'starting')
        descriptors, status = self.handover.listen_descriptors(
            self.node.host.address, self.node.status_address)
        self.init_signals()
        self.LISTENERS = sock.create_sockets(self.cfg, self.log, descriptors)
        _logger.info("listening at %s", ', '.join(str(each) for each in self.LISTENERS))
        if status is not None:
            self.status_listener = sock.create_sockets(self.cfg, self.log, [status])[0]
            _logger.info("status at %s", self.status_listener)

    def run(self):
        """Serve until told to stop. Ends by SystemExit, as do the workers forked in here."""
        try:
            self.start()
            while True:
                self._cycle()
        except LaunchError:
            self.kill_everything()
            raise
        except Exception:
            _logger.exception("the master failed")
            self.kill_everything()
            sys.exit(EXIT_SOFTWARE)

    def _cycle(self):
        while self.SIG_QUEUE:
            number = self.SIG_QUEUE.popleft()
            getattr(self, 'handle_%s' % self.SIG_NAMES[number])()
        self.reap_workers()
        self.murder_workers()
        self.manage_workers()
        self._look_after_children()
        if self.shutdown and self.shutdown.step():
            _logger.info("master %d ends", self.pid)
            sys.exit(0)
        self._report()
        self.sleep()

    def _report(self):
        booted = [worker for worker in self.WORKERS.values() if worker.slot.ready]
        if booted:
            self.ever_ready = True
            self.boot_failures = 0
        if self.shutdown:
            state = self.shutdown.state
        else:
            state = 'ready' if self.reported_ready else 'starting'
            if not self.reported_ready and len(booted) >= self.num_workers and self._early_are_ready():
                self.reported_ready = True
                self.handover.say('ready')
                figures.ready()
        self._show_figures()
        set_title(self.node.name, 'master', state)
        self.handover.say('status', text="%s, %d of %d HTTP workers, %d requests served" % (
            state, len(booted), self.num_workers, self.board.total('requests')))
        figures.record(self)

    def _early_are_ready(self):
        """Whether the children that start early are, all workers being up; if not, not for ever."""
        self.all_booted_at = self.all_booted_at or monotonic()
        return monotonic() - self.all_booted_at > EARLY_SECONDS or all(
            child.slot and child.slot.ready for child in self.children if child.starts_early)

    def _show_figures(self):
        """For the answerer and the workers, who tell them to whoever asks."""
        master, queues = self.board.master, [linux.queue_of(each) for each in self.LISTENERS
                                             if each.family != socket.AF_UNIX]
        master.beat()
        master.show('workers_wanted', self.num_workers)
        master.show('queued', sum(waiting for waiting, _ in queues))
        master.show('queue_limit', sum(limit for _, limit in queues))

    # -- workers ---------------------------------------------------------

    def manage_workers(self):
        if self.stopping or monotonic() < self.spawn_at:
            return
        super(NodeArbiter, self).manage_workers()

    def spawn_workers(self):
        for _ in range(self.num_workers - len(self.WORKERS)):
            self.spawn_worker()
            self.board.master.count('workers_started')
            table.PROCESSES_STARTED.count('http worker')

    def kill_worker(self, pid, number):
        """Signal a worker that we have not reaped yet, so that the pid is still its own.

        A busy one is told to leave on the board alone: a signal would make system
        calls inside OpenERP fail or end early (EINTR).
        """
        if number == signal.SIGTERM and pid in self.WORKERS:
            slot = self.WORKERS[pid].slot
            slot.leave = True
            if slot.busy_seconds is not None:
                return
        try:
            os.kill(pid, number)
        except OSError as error:
            if error.errno != errno.ESRCH:
                raise

    def murder_workers(self):
        limit = self.node.host.config['limit_time_real']
        for pid, worker in list(self.WORKERS.items()):
            slot, busy = worker.slot, worker.slot.busy_seconds
            if busy is None:
                hangs = slot.silent_seconds > IDLE_SILENT_SECONDS
            else:
                hangs = limit and busy > limit + BACKSTOP_SECONDS
            if hangs and not worker.aborted:
                worker.aborted = True
                self.board.master.count('workers_killed')
                if busy is not None:
                    self.board.master.count('limit_time_real')
                    table.LIMITS_HIT.count('limit_time_real')
                _logger.error("worker %d is stuck and was killed, %s", pid,
                              _at_work(slot) or "idle")
                self.kill_worker(pid, signal.SIGKILL)

    def reap_workers(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except OSError as error:
                if error.errno != errno.ECHILD:
                    raise
                return
            if not pid:
                return
            if pid in self.WORKERS:
                self._worker_ended(self.WORKERS.pop(pid), status)
            for child in self.children:
                if child.pid == pid:
                    child.ended(self, how_it_ended(status))

    def _worker_ended(self, worker, status):
        slot = worker.slot
        worker.tmp.close()
        table.PROCESSES_ENDED.count('http worker', figures.cause_of_end(worker, status))
        if status and not worker.aborted and not slot.leave:
            self.board.master.count('workers_crashed')
            _logger.error("worker %d %s, %s", worker.pid, how_it_ended(status),
                          _at_work(slot) or ("idle" if slot.ready else "before it was ready"))
        if not slot.ready and not slot.leave:
            self._boot_failed()
        self.board.give_back(slot)

    def _boot_failed(self):
        self.boot_failures += 1
        if self.boot_failures >= HOPELESS_BOOTS and not self.ever_ready:
            raise BootFailure("%d workers in a row ended before they were ready, and none ever "
                              "was: see the log above for the reason." % self.boot_failures)
        pause = min(0.25 * 2 ** self.boot_failures, LONGEST_BACKOFF_SECONDS)
        self.spawn_at = monotonic() + pause

    def kill_everything(self):
        """SIGKILL to all that is ours."""
        self.kill_workers(signal.SIGKILL)
        for child in self.children:
            if child.pid:
                child.send(signal.SIGKILL)

    # -- other children --------------------------------------------------

    def _look_after_children(self):
        for child in self.children:
            early = child.starts_early and (self.all_booted_at or not self.handover.again)
            if (self.reported_ready or early) and not self.shutdown:
                child.start(self)
            child.look_after()

    def close_listeners_in_child(self):
        """A child that is no HTTP worker must not keep the port open."""
        for listener in self.LISTENERS:
            listener.close()
        self.LISTENERS = []
        self.close_status_listener()

    def close_status_listener(self):
        """In every child but the answerer."""
        if self.status_listener:
            self.status_listener.close()
            self.status_listener = None


def _at_work(slot):
    """`after 3.2 s of POST /xmlrpc/object (...)`, or '' when it was idle."""
    if slot.busy_seconds is None:
        return ''
    return "after %.1f s of %s" % (slot.busy_seconds, sentence(slot.doing))
