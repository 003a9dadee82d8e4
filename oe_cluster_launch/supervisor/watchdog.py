# -*- coding: utf-8 -*-
"""The one thread of an HTTP worker beside its main thread; started after the fork.

It does what the main thread cannot do while it is inside a C function:
cancel the PostgreSQL query of a request that is over limit_time_real, see
its memory grow, dump stacks at SIGQUIT, and show in the title what takes long.
"""
import logging
import os
import signal
import threading

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.current_request import sentence
from oe_cluster_launch.supervisor import linux, stacks

_logger = logging.getLogger(__name__)

PASS_SECONDS = 0.25
#: after the alarm, the main thread has this long to notice it by itself
NOTICE_SECONDS = 0.5
#: a request that takes longer is named in the process title
LONG_SECONDS = 2.0


class Watchdog(threading.Thread):
    """Watches one worker."""

    def __init__(self, worker):
        super(Watchdog, self).__init__(name='watchdog')
        self.daemon = True
        self._worker = worker
        self._titled = False
        self._stopped = False

    def stop(self):
        """End the thread: it must not outlive the interpreter around it."""
        self._stopped = True
        os.kill(os.getpid(), signal.SIGQUIT)
        self.join(2 * PASS_SECONDS)

    def run(self):
        linux.leave_signals_to_main_thread()
        while not self._stopped:
            try:
                if linux.wait_for_signal([signal.SIGQUIT], PASS_SECONDS) and not self._stopped:
                    stacks.dump("worker %d, %s" % (self._worker.pid, self._doing() or "idle"))
                self._end_overdue()
                self._worker.limits.watch_memory()
                self._worker.watch_memory()
                self._show_long()
                self._worker.tell_metrics()
            except Exception:
                _logger.exception("the watchdog failed")

    def _doing(self):
        busy = self._worker.slot.busy_seconds
        if busy is None:
            return ''
        return '%d s of %s' % (busy, sentence(self._worker.slot.doing))

    def _end_overdue(self):
        overdue_at = self._worker.limits.overdue_at
        if overdue_at and monotonic() > overdue_at + NOTICE_SECONDS:
            self._worker.node.host.cancel_queries()

    def _show_long(self):
        busy = self._worker.slot.busy_seconds
        if busy is not None and busy > LONG_SECONDS:
            self._titled = True
            self._worker.set_state(self._doing())
        elif self._titled:
            self._titled = False
            self._worker.set_state('ready')
