# -*- coding: utf-8 -*-
"""The master's signals: every one is remembered, and obeyed in the main loop.

A handler only appends to a queue and wakes the loop: none is dropped, and no
work is done between two arbitrary instructions of something else. Which
signal means what to an operator, docs/reference.md says.
"""
import errno
import logging
import os
import select
import signal

from gunicorn import util

from oe_cluster_launch.supervisor import stacks
from oe_cluster_launch.supervisor.shutdown import Shutdown

#: what an operator may send, and to whom; docs/reference.md shows it
MEANINGS = [
    ('SIGTERM, SIGINT', "node", "Stop: readiness fails, `drain_seconds`, the port closes, requests in flight "
                                "finish within `graceful_timeout`. A second one cuts them off."),
    ('SIGHUP', "node", "Rolling reload: a new master boots with code and configuration as they are now; when "
                       "its workers answer, the old one finishes its requests and leaves. The pid stays."),
    ('SIGUSR2', "node", "As SIGHUP, and the launcher's first process becomes the installed version, too."),
    ('SIGTTIN, SIGTTOU', "node", "One HTTP worker more, one less, until the next reload."),
    ('SIGQUIT', "node", "Every process writes the stacks of all its threads into the log."),
    ('SIGQUIT', "one worker, master or agent", "Only that process does."),
    ('SIGUSR1', "node", "Nothing: a rotated log file is found without a signal."),
]

_logger = logging.getLogger(__name__)


class SignalHandling(object):
    """The part of :class:`NodeArbiter` that hears and obeys."""

    stop_signals = 0

    def signal(self, number, frame):
        """The handler of every signal: remember it."""
        self.SIG_QUEUE.append(number)
        self.wakeup()

    def handle_chld(self, number, frame):
        """The handler of SIGCHLD: children are reaped in the main loop."""
        self.wakeup()

    def wakeup(self):
        try:
            os.write(self.PIPE[1], b'.')
        except OSError as error:
            if error.errno != errno.EAGAIN:  # a full pipe wakes us as well
                raise

    def sleep(self):
        if self.shutdown:
            pause = self.shutdown.pause_seconds
        else:
            pause = 1.0 if self.reported_ready else 0.05
        try:
            if select.select([self.PIPE[0]], [], [], 0 if self.SIG_QUEUE else pause)[0]:
                os.read(self.PIPE[0], 4096)
        except (OSError, select.error) as error:
            if error.args[0] not in (errno.EINTR, errno.EAGAIN):
                raise

    @staticmethod
    def set_nonblocking(*descriptors):
        """Mark pipe ends as every pipe of ours is marked."""
        for descriptor in descriptors:
            util.set_non_blocking(descriptor)
            util.close_on_exec(descriptor)

    def handle_term(self):
        self.stop_signals += 1
        if self.shutdown is None:
            self.shutdown = Shutdown(self, retiring=False)
        elif self.stop_signals > 1:
            _logger.warning("stop asked for again: requests in flight are cut off")
            self.shutdown.force()
            self.kill_everything()
        # else we are leaving already, because there is a successor

    handle_int = handle_term

    def handle_winch(self):
        """The keeper has a successor for us."""
        if not self.shutdown:
            self.shutdown = Shutdown(self, retiring=True)

    def handle_hup(self):
        os.kill(self.handover.keeper_pid, signal.SIGHUP)

    def handle_usr2(self):
        os.kill(self.handover.keeper_pid, signal.SIGUSR2)

    def handle_usr1(self):
        _logger.info("SIGUSR1: nothing to do, a rotated log file is found without it")

    def handle_ttin(self):
        super(SignalHandling, self).handle_ttin()
        _logger.info("one HTTP worker more: %d until the next reload", self.num_workers)

    def handle_ttou(self):
        super(SignalHandling, self).handle_ttou()
        _logger.info("one HTTP worker less: %d until the next reload", self.num_workers)

    def handle_quit(self):
        stacks.dump('master')
        self.kill_workers(signal.SIGQUIT)
        for child in self.children:
            if child.pid:
                child.send(signal.SIGQUIT)
