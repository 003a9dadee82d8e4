# -*- coding: utf-8 -*-
"""What ends the agent's sleep: signals, the bell, the end of the lease.

Handlers only set a flag, but for one: when the timer says that the lease is
over, it calls back at once, between any two instructions of the agent and
even while a call to Redis hangs.
"""
import os
import select
import signal

from oe_cluster_launch.cron import processes


class Wakeups(object):
    """The signals of this process and the bell's descriptor, waited for together.

    :param bell: a Subscription that rings when the lead changes, or None to be woken by signals alone
    :ivar stopping: SIGTERM or SIGINT has come: hand over, let jobs finish, end
    :ivar draining: SIGUSR1 has come: hand over and stay
    """

    def __init__(self, bell):
        self.stopping = self.draining = False
        self._bell = bell
        self._wake_fd = None
        self._on_lease_over = lambda: None

    def take_signals(self, on_lease_over):
        """Install our handlers in this process, in place of those of the process that forked it."""
        self._on_lease_over = on_lease_over
        processes.reset_signals()
        self._wake_fd = processes.wake_pipe()
        for name, handler in (('SIGTERM', self._stop), ('SIGINT', self._stop),
                              ('SIGUSR1', self._drain), ('SIGCHLD', self._wake),
                              ('SIGALRM', self._lease_over)):
            signal.signal(getattr(signal, name), handler)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def arm(self, seconds):
        """Call `on_lease_over` after that time, whatever the agent is doing then."""
        signal.setitimer(signal.ITIMER_REAL, max(0.001, seconds))

    def disarm(self):
        signal.setitimer(signal.ITIMER_REAL, 0)

    def wait(self, seconds):
        """Sleep, but not beyond a signal or the bell."""
        bell_fd = self._bell.fileno() if self._bell else None
        try:
            ready = select.select([fd for fd in (self._wake_fd, bell_fd) if fd is not None],
                                  [], [], seconds)[0]
        except select.error:  # Python 2: a signal; its handler has run
            return
        if bell_fd in ready:
            self._bell.messages()  # only a hint: what they say is not used
        if self._wake_fd in ready:
            os.read(self._wake_fd, 4096)

    def _stop(self, *_signal):
        self.stopping = True

    def _drain(self, *_signal):
        self.draining = True

    def _wake(self, *_signal):
        """A child ended: only to end the wait; `tend` reaps."""

    def _lease_over(self, *_signal):
        self._on_lease_over()
