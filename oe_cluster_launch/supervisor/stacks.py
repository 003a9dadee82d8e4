# -*- coding: utf-8 -*-
"""Stack dumps: SIGQUIT makes a process write what each of its threads is doing into the log.

The same signal as stock. Where a watchdog thread runs (HTTP workers) it waits
for the signal, so that a dump also works while the main thread is stuck in a
C function; elsewhere a handler does it.
"""
import logging
import signal
import sys
import threading
import traceback

_logger = logging.getLogger(__name__)


def dump(role):
    """Write the stack of every thread of this process as one log record."""
    names = dict((thread.ident, thread.name) for thread in threading.enumerate())
    parts = []
    for ident, frame in sorted(sys._current_frames().items()):
        parts.append("thread %s (%s):\n%s" % (
            names.get(ident, '?'), ident, ''.join(traceback.format_stack(frame)).rstrip()))
    _logger.info("stack dump of %s, %d threads\n%s", role, len(parts), '\n'.join(parts))


def dump_on_signal(role):
    """Dump this process at SIGQUIT, from a handler in its main thread."""
    signal.signal(signal.SIGQUIT, lambda number, frame: dump(role))
