# -*- coding: utf-8 -*-
"""What this worker's ormcache did, reported to Redis for `oe-cluster-launch cache stats`.

One string with a time to live per worker, written at the end of a request, at
most every few seconds. A report that is lost is only a report.
"""
import json
import os

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.ormcache import decorator
from oe_cluster_launch.store.breaker import Breaker

REPORT_INTERVAL_SECONDS = 5.0
REPORT_TTL_SECONDS = 600


class Statistics(object):
    """The reports of one process; made before the fork."""

    def __init__(self, store, node_name, shared_counts, clock=monotonic):
        self._store = store
        self._node_name = node_name
        self._shared_counts = shared_counts
        self._clock = clock
        self._due = 0.0
        self._breaker = Breaker("Reporting the ormcache's statistics")

    def report_when_due(self, states):
        """Report, unless that was done a moment ago."""
        now = self._clock()
        if now < self._due or not self._breaker.permits():
            return
        self._due = now + REPORT_INTERVAL_SECONDS
        key = self._store.keys.cache_statistics(self._node_name, os.getpid())
        try:
            self._store.client().set(key, json.dumps(self.report(states)), ex=REPORT_TTL_SECONDS)
        except RedisUnavailable as error:
            self._breaker.failed(error)
        else:
            self._breaker.succeeded()

    def report(self, states):
        """What is reported, as a dictionary."""
        caches = list(decorator.by_identity.values())
        return {
            'node': self._node_name,
            'process': os.getpid(),
            'hits': sum(cache.stat_hit for cache in caches),
            'misses': sum(cache.stat_miss for cache in caches),
            'shared_hits': sum(cache.stat_shared for cache in caches),
            'shared': dict(self._shared_counts),
            'databases': dict((state.name, {
                'entries': state.level.entries(),
                'generation': state.generation.text if state.generation else None,
            }) for state in states),
        }
