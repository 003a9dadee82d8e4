# -*- coding: utf-8 -*-
"""A supervised child: any process besides the HTTP workers that the master keeps alive.

    class Agent(ChildProcess):
        role = 'cron agent'
        def run(self):                  # in the child, after the fork; OpenERP is loaded
            while not self.stopping:    # turns true at SIGTERM, or when the master wants it
                self.work_a_little()
                self.beat()             # at least every `watchdog_seconds`
                self.sleep(3)           # returns early at a signal

The master forks it when the HTTP workers are up, kills it when it hangs,
starts it again with back-off when it ends, and tells it to go (SIGTERM) at
the very beginning of a stop or a hand-over, so that a lease is free at once;
after `stop_seconds` comes SIGKILL. It dies with the master in any case. The
children of another child are its own to end: use linux.die_with_parent.
"""
import logging
import os
import random
import select
import signal
import sys

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.metrics import table
from oe_cluster_launch.supervisor import board, linux, stacks
from oe_cluster_launch.supervisor.titles import set_title

_logger = logging.getLogger(__name__)

LONGEST_BACKOFF_SECONDS = 60
#: one that lived this long has recovered
RECOVERED_SECONDS = 30


class ChildProcess(object):
    """One child of the master; subclasses say `role` and `run()`.

    Attributes of the master: pid (None while it does not run). Attributes of
    the child: everything else.
    """

    role = 'child'
    kind = board.OTHER
    #: forked before the HTTP workers are up, unless an older master still serves; the node is
    #: ready when the child has said so itself (`slot.ready`)
    starts_early = False
    #: at a stop, told to leave only when everything else of this master has ended
    leaves_last = False
    watchdog_seconds = 60
    stop_seconds = 10

    def __init__(self, node):
        self.node = node
        self.pid = None
        self.board = self.slot = None
        self.failures = 0
        self.start_at = 0.0
        self.started_at = 0.0
        self.kill_at = None
        self._told = self._killed = False

    # -- what a subclass says and uses, in the child -----------------------

    def run(self):
        """The child's work. Returns when `stopping`; if earlier, it is started again."""
        raise NotImplementedError

    @property
    def stopping(self):
        """Whether the child shall end now."""
        return self._told or self.slot.leave

    def beat(self):
        """Say that the child is alive."""
        self.slot.beat()

    def sleep(self, seconds, descriptors=()):
        """Wait, at most a second at a time unseen; returns the descriptors that can be read.

        Returns early when one can, or when a signal came.
        """
        until = monotonic() + seconds
        while not self.stopping:
            self.beat()
            left = until - monotonic()
            if left <= 0:
                return []
            try:
                ready = select.select([self.wakeup] + list(descriptors), [], [], min(left, 1.0))[0]
            except select.error:
                continue
            if self.wakeup in ready:
                os.read(self.wakeup, 4096)
                ready.remove(self.wakeup)
            if ready:
                return ready
        return []

    # -- in the master -----------------------------------------------------

    def start(self, arbiter):
        """Fork it, when it does not run and its time has come."""
        if self.pid or monotonic() < self.start_at:
            return
        self.board = arbiter.board
        self.slot = self.board.take(self.kind)
        self.started_at = monotonic()
        self.kill_at = None
        self._killed = False
        master_pid = os.getpid()
        pid = os.fork()
        if pid:
            self.pid = pid
            arbiter.board.master.count('workers_started')
            table.PROCESSES_STARTED.count(self.role)
            return
        linux.die_with_parent(master_pid)
        code = 1
        try:
            self._prepare(arbiter)
            self.run()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            _logger.exception("%s failed", self.role)
        finally:
            logging.shutdown()
            sys.stdout.flush()
            os._exit(code)  # no frame of the master's may run on in the child

    def _prepare(self, arbiter):
        reader, writer = os.pipe()
        arbiter.set_nonblocking(reader, writer)
        self.wakeup = reader
        for number in arbiter.SIGNALS + [signal.SIGCHLD]:
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(writer)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGWINCH, signal.SIG_IGN)
        stacks.dump_on_signal(self.role)
        random.seed()
        arbiter.close_listeners_in_child()
        set_title(self.node.name, self.role, 'running')
        self.slot.ready = not self.starts_early

    def _on_stop(self, number, frame):
        self._told = True

    def tell_to_leave(self):
        """SIGTERM now, SIGKILL when `stop_seconds` are over."""
        if self.pid and self.kill_at is None:
            self.slot.leave = True
            self.kill_at = monotonic() + self.stop_seconds
            self.send(signal.SIGTERM)

    def send(self, number):
        try:
            os.kill(self.pid, number)
        except OSError:  # it has ended and is about to be reaped
            pass

    def look_after(self):
        """Kill it when it hangs or does not leave."""
        if not self.pid or self._killed:
            return
        if self.kill_at and monotonic() > self.kill_at:
            _logger.warning("%s %d did not leave in %d s: killed", self.role, self.pid,
                            self.stop_seconds)
        elif self.slot.silent_seconds > self.watchdog_seconds:
            _logger.error("%s %d has been silent for %d s: killed", self.role, self.pid,
                          self.slot.silent_seconds)
        else:
            return
        self.slot.count('workers_killed')
        self._killed = True
        self.send(signal.SIGKILL)

    def ended(self, arbiter, how):
        """It was reaped: note when it may start again."""
        table.PROCESSES_ENDED.count(self.role, 'stuck' if self._killed else
                                    'told' if arbiter.shutdown else 'crashed')
        if not arbiter.shutdown:
            lived = monotonic() - self.started_at
            self.failures = 0 if lived > RECOVERED_SECONDS else self.failures + 1
            pause = min(2 ** self.failures, LONGEST_BACKOFF_SECONDS) if self.failures else 0
            self.start_at = monotonic() + pause
            _logger.warning("%s %d %s; it is started again in %d s",
                            self.role, self.pid, how, pause)
        arbiter.board.give_back(self.slot)
        self.pid = self.slot = None
