# -*- coding: utf-8 -*-
"""Asking PostgreSQL and Redis every second, each in a thread of its own. In the answerer.

A server that hangs holds up its own thread only, and not for good: each
question has a time limit. What is known about it grows worse meanwhile.
"""
import logging
import threading
import time

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.errors import LaunchError
from oe_cluster_launch.health.document import FAIL, PASS
from oe_cluster_launch.supervisor import linux

_logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
#: longest wait for one answer, where the question can be limited
LIMIT_SECONDS = 2.0
#: a question that is under way for longer has failed, whatever becomes of it
OVERDUE_SECONDS = 3.0
#: the board has room for both findings
LONGEST_OUTPUT = 300


class Probe(threading.Thread):
    """Asks one server, again and again. Started after the fork.

    :param ask: a function that raises LaunchError when the server is not as it should be
    """

    def __init__(self, name, ask, interval_seconds=INTERVAL_SECONDS):
        super(Probe, self).__init__(name='probe of %s' % name)
        self.daemon = True
        self._ask = ask
        self._interval_seconds = interval_seconds
        self._began_at = None
        self._found = None
        self.asked_once = threading.Event()

    def run(self):
        linux.leave_signals_to_main_thread()
        while True:
            self._began_at = monotonic()
            self._found = self._ask_once()
            self._began_at = None
            self.asked_once.set()
            time.sleep(self._interval_seconds)

    def _ask_once(self):
        began_at, output = monotonic(), None
        try:
            self._ask()
        except LaunchError as error:
            output = str(error)
        except Exception as error:
            _logger.exception("%s failed", self.name)
            output = "%s: %s" % (type(error).__name__, error)
        return finding(monotonic() - began_at, output)

    def finding(self):
        """What is known now, or None before the first answer."""
        began_at = self._began_at
        waited = monotonic() - began_at if began_at else 0
        if waited > OVERDUE_SECONDS:
            return finding(waited, "no answer for %d s" % waited)
        return self._found


def finding(seconds, output):
    """One outcome as it stands on the board: small, and with its own times."""
    return {'status': FAIL if output else PASS, 'ms': round(seconds * 1000, 1), 'at': monotonic(),
            'time': int(time.time()), 'output': output and ' '.join(output.split())[:LONGEST_OUTPUT]}
