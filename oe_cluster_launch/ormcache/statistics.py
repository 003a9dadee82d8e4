# -*- coding: utf-8 -*-
"""What this worker's ormcache did, reported to Redis for `oe-cluster-launch cache stats`.

One string with a time to live per worker, written at the end of a request, at
most every few seconds. A report that is lost is only a report. The decorators
count for the process; what they counted in a request is its database's. While
there is only one, that need not be looked at after each request.
"""
import json
import os

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.ormcache import decorator
from oe_cluster_launch.ormcache.local import level_of
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
        self._counted = decorator.Lookups(0, 0, 0)
        self._databases = {}

    def request_ended(self, states):
        """Count a request's lookups for its database; report, unless that was done a moment ago.

        :param states: of the databases it has touched, one at least
        """
        now = self._clock()
        due = now >= self._due
        if not due and len(self._databases) == 1 and all(state.name in self._databases for state in states):
            return
        self._count(states, decorator.lookups())
        if not due or not self._breaker.permits():
            return
        self._due = now + REPORT_INTERVAL_SECONDS
        key = self._store.keys.cache_statistics(self._node_name, os.getpid())
        try:
            self._store.client().set(key, json.dumps(self.report()), ex=REPORT_TTL_SECONDS)
        except RedisUnavailable as error:
            self._breaker.failed(error)
        else:
            self._breaker.succeeded()

    def report(self):
        """What is reported, as a dictionary."""
        return {
            'node': self._node_name,
            'process': os.getpid(),
            'shared': dict(self._shared_counts),
            'databases': dict((name, dict(held, entries=level_of(name).entries()))
                              for name, held in self._databases.items()),
        }

    def _count(self, states, total):
        """A request that touched several databases counts for the first; there are hardly any."""
        before, self._counted = self._counted, total
        for state in states:
            held = self._databases.setdefault(
                state.name, {'local': 0, 'shared': 0, 'computed': 0, 'generation': None})
            if state.generation:
                held['generation'] = state.generation.text
        held = self._databases[states[0].name]
        for name, more, less in zip(total._fields, total, before):
            held[name] += more - less
