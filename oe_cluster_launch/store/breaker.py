# -*- coding: utf-8 -*-
"""A circuit breaker: whoever can do without Redis does not wait for it again and again.

After a failure the circuit is open: nobody asks for a while, then one caller
tries; each further failure doubles the wait. One log line when it opens, one
when it closes. It guards what may be left out, never what must be done.
"""
import logging

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.metrics import table

_logger = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0


class Breaker(object):
    """One circuit of one process.

    :param what: completes "… is left out until it works again"
    :param name: what it is called in the metrics
    :ivar is_open: the last attempt failed
    """

    def __init__(self, what, clock=monotonic, name='other'):
        self._what = what
        self._name = name
        self._clock = clock
        self._wait_seconds = FIRST_WAIT_SECONDS
        self._next_attempt = None

    @property
    def is_open(self):
        return self._next_attempt is not None

    def permits(self):
        """Whether to try now. An open circuit permits one attempt per wait."""
        if self._next_attempt is None:
            return True
        now = self._clock()
        if now < self._next_attempt:
            return False
        # whoever asks meanwhile, in another thread, need not wait for the attempt
        self._next_attempt = now + self._wait_seconds
        return True

    def failed(self, error):
        """An attempt failed."""
        if not self.is_open:
            self._wait_seconds = FIRST_WAIT_SECONDS
            _logger.warning("%s is left out until it works again: %s", self._what, error)
            table.CIRCUITS_OPEN.set(1, self._name)
        else:
            self._wait_seconds = min(2 * self._wait_seconds, LONGEST_WAIT_SECONDS)
        self._next_attempt = self._clock() + self._wait_seconds

    def succeeded(self):
        """An attempt succeeded."""
        if self.is_open:
            self._next_attempt = None
            table.CIRCUITS_OPEN.set(0, self._name)
            _logger.info("%s works again", self._what)
