# -*- coding: utf-8 -*-
"""The limits of one request: real time, processor time, memory. In an HTTP worker.

Time: the kernel's interval timers raise `LimitExceeded` in the main thread,
again every second in case something swallowed it. While the main thread is
inside a C function no Python handler runs: then the watchdog cancels its
PostgreSQL query, and the master's backstop ends what is not one. Memory:
RLIMIT_DATA makes an allocation fail, as MemoryError in the one request; one
that grows slowly is seen by the watchdog before that.
A worker whose request was ended leaves: code stopped anywhere leaves
anything behind.
"""
import logging
import os
import resource
import signal

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.supervisor import linux

_logger = logging.getLogger(__name__)

#: what a request may at least use on top of what the worker has when it starts
LEAST_HEADROOM_BYTES = 64 << 20
REPEAT_SECONDS = 1.0
#: this near to limit_memory_hard the watchdog ends the request, before an allocation fails
#: where OpenERP would take it for an ordinary error
NEARLY_BYTES = 16 << 20

ANSWERS = {
    'limit_time_real': ("503 Service Unavailable", "This request took longer than limit_time_real "
                        "allows (%d s) and was ended."),
    'limit_time_cpu': ("503 Service Unavailable", "This request used more processor time than "
                       "limit_time_cpu allows (%d s) and was ended."),
    'limit_memory_hard': ("500 Internal Server Error", "This request needed more memory than "
                          "limit_memory_hard allows (%d bytes) and was ended."),
}


class LimitExceeded(BaseException):
    """A limit ended the request. Not an Exception: OpenERP catches those and goes on."""

    def __init__(self, name, value):
        BaseException.__init__(self, "%s (%s) exceeded" % (name, value))
        self.name = name
        self.status, sentence = ANSWERS[name]
        self.sentence = sentence % value


class Limits(object):
    """The limits of one worker's requests, from OpenERP's options; 0 turns one off."""

    def __init__(self, config, slot):
        self.real_seconds = float(config['limit_time_real'] or 0)
        self.cpu_seconds = float(config['limit_time_cpu'] or 0)
        self.memory_bytes = int(config['limit_memory_hard'] or 0)
        self._slot = slot
        self._active = False
        self._memory_overdue = False
        self.overdue_at = None
        signal.signal(signal.SIGALRM, self._on_alarm)
        signal.signal(signal.SIGPROF, self._on_profile)

    def arm(self):
        """From here to disarm() the limits of time end what the main thread does.

        They raise LimitExceeded: the caller answers and the worker leaves.
        """
        self._active = True
        self.overdue_at = monotonic() + self.real_seconds if self.real_seconds else None
        signal.setitimer(signal.ITIMER_REAL, self.real_seconds, REPEAT_SECONDS)
        signal.setitimer(signal.ITIMER_PROF, self.cpu_seconds, REPEAT_SECONDS)

    def disarm(self):
        """From here on nothing is interrupted; harmless when nothing was armed."""
        self._active = False  # first: a signal may come before the timers are off
        self.overdue_at = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _on_alarm(self, number, frame):
        if self._active:
            if self._memory_overdue:
                raise self.memory_exceeded()
            raise LimitExceeded('limit_time_real', self.real_seconds)

    def _on_profile(self, number, frame):
        if self._active:
            raise LimitExceeded('limit_time_cpu', self.cpu_seconds)

    # -- memory ------------------------------------------------------------

    def bind_memory(self):
        """Let the kernel refuse memory beyond limit_memory_hard."""
        if not self.memory_bytes:
            return
        used = linux.data_bytes()
        if self.memory_bytes < used + LEAST_HEADROOM_BYTES:
            _logger.warning(
                "limit_memory_hard is %d MB, but a worker starts with %d MB: requests get %d MB. "
                "Remedy: raise limit_memory_hard.", self.memory_bytes >> 20, used >> 20,
                LEAST_HEADROOM_BYTES >> 20)
            self.memory_bytes = used + LEAST_HEADROOM_BYTES
        self._bound(self.memory_bytes)

    def watch_memory(self):
        """End the request when it has come near the bound. In the watchdog's thread."""
        if self._active and self.memory_bytes and (
                linux.data_bytes() > self.memory_bytes - NEARLY_BYTES):
            self._memory_overdue = True
            os.kill(os.getpid(), signal.SIGALRM)

    def release_memory(self):
        """Lift the bound, so that a request which has reached it can be answered."""
        self._bound(resource.getrlimit(resource.RLIMIT_DATA)[1])

    @staticmethod
    def _bound(soft):
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        if hard != resource.RLIM_INFINITY:
            soft = min(soft, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))

    def memory_exceeded(self):
        """What a MemoryError of this request means."""
        return LimitExceeded('limit_memory_hard', self.memory_bytes)
