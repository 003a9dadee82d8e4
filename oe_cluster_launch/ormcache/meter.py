# -*- coding: utf-8 -*-
"""Takes what the decorators have counted into the metrics.

A hit must cost no more than a dict lookup, so the decorators count in plain
attributes, and what has been added since the last time is taken over here: at
the end of each request, or, in an HTTP worker, when it writes its metrics.
"""
import threading

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.metrics import table
from oe_cluster_launch.ormcache import decorator
from oe_cluster_launch.ormcache.local import levels

#: counting the kept answers goes through all tables
ENTRIES_INTERVAL_SECONDS = 5.0


class Meter(object):
    """The counts of this process. A child starts where its parent was, and so counts its own only."""

    def __init__(self, clock=monotonic):
        #: somebody calls take() from time to time, so that requests need not
        self.is_taken_later = False
        self._lock = threading.Lock()
        self._clock = clock
        self._counted = decorator.Lookups(0, 0, 0)
        self._entries_due = 0.0

    def request_ended(self):
        """Take over what it has counted, unless that is done later."""
        if not self.is_taken_later:
            self.take()

    def take(self):
        """Take over what is new. In any thread."""
        with self._lock:
            total = decorator.lookups()
            before, self._counted = self._counted, total
        for answered_by, more, less in zip(total._fields, total, before):
            table.ORMCACHE_LOOKUPS.add(max(more - less, 0), answered_by)
        now = self._clock()
        if now >= self._entries_due:
            self._entries_due = now + ENTRIES_INTERVAL_SECONDS
            table.ORMCACHE_ENTRIES.set(sum(level.entries() for level in levels()))


meter = Meter()
