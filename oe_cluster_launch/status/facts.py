# -*- coding: utf-8 -*-
"""Everything there is to show about the cluster, as one dictionary that JSON can hold.

From the members' records (with the load each agent reports), cron's lease and
history, and Redis' own figures. What takes a walk over all keys is done every so
often only, and never for longer than a moment. In any process; keeps what it
found for a moment, so that many viewers cost no more than one.
"""
import threading
import time

from oe_cluster_launch.cluster.membership import members
from oe_cluster_launch.cluster.mismatch import differences
from oe_cluster_launch.compat import monotonic, native
from oe_cluster_launch.cron.control import Control
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.ormcache import overview
from oe_cluster_launch.status.concerns import concerns
from oe_cluster_launch.store.server_checks import examine

#: facts are this old at most
KEEP_SECONDS = 1.0
#: what needs a walk over all keys
KEEP_WALK_SECONDS = 15.0
_SCAN_COUNT = 1000
#: a walk ends after this long; then the numbers are lower bounds
LONGEST_WALK_SECONDS = 1.0
HISTORY_ROWS = 40


class Facts(object):
    """The facts of one cluster; made anywhere, used after the fork, in any thread.

    :param store: a Store of its own
    """

    def __init__(self, store, clock=monotonic):
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._found = self._counts = None
        self._found_at = self._counted_at = 0.0

    def gather(self, walk=True):
        """A dictionary: cluster, time, leader, term, paused, nodes, cron, redis, sessions, cache, warnings.

        Redis away is itself a fact: then `redis` has an `error`, and little else is there.

        :param walk: whether to count sessions and the like
        """
        with self._lock:
            if self._found is None or self._clock() - self._found_at > KEEP_SECONDS:
                self._found = self._gather(walk)
                self._found_at = self._clock()
            return self._found

    def _gather(self, walk):
        found = {'cluster': self._store.keys.prefix, 'time': time.time(), 'leader': None, 'term': 0,
                 'paused': None, 'nodes': [], 'history': [], 'sessions': None, 'cache': None,
                 'redis': {'url': self._store.url, 'error': None, 'findings': []}}
        try:
            found['time'] = self._time()
            found['redis'].update(self._redis())
            found['nodes'] = self._nodes()
            found.update(self._cron())
            found.update(self._counted() if walk else {})
        except RedisUnavailable as error:
            found['redis']['error'] = str(error)
        found['warnings'] = concerns(found)
        return found

    # -- the parts -----------------------------------------------------------

    def _time(self):
        """The server's clock, which all moments in Redis are of."""
        seconds, microseconds = self._store.client().time()
        return seconds + microseconds / 1e6

    def _nodes(self):
        nodes = members(self._store)
        differing = differences(nodes)
        for node in nodes:
            node['differs'] = differing[node['node']]
            node.pop('token', None)
        return nodes

    def _cron(self):
        control = Control(self._store)
        leader, term = control.leader()
        return {'leader': leader, 'term': term, 'paused': control.paused(),
                'history': control.history()[:HISTORY_ROWS]}

    def _redis(self):
        client = self._store.client()
        asked_at = self._clock()
        client.ping()
        answered_at = self._clock()
        info = client.info()
        found = dict((name, _readable(info.get(name))) for name in (
            'redis_version', 'role', 'uptime_in_seconds', 'connected_clients', 'maxclients', 'used_memory',
            'maxmemory', 'maxmemory_policy', 'evicted_keys', 'expired_keys', 'instantaneous_ops_per_sec',
            'keyspace_hits', 'keyspace_misses', 'rejected_connections', 'connected_slaves', 'aof_enabled',
            'aof_last_write_status', 'rdb_last_bgsave_status', 'rdb_last_save_time', 'loading'))
        found['milliseconds'] = round((answered_at - asked_at) * 1000, 1)
        found['findings'] = [{'what': finding.what, 'remedy': finding.remedy}
                             for finding in examine(client, info, self._store.url)]
        return found

    def _counted(self):
        if self._counts is None or self._clock() - self._counted_at > KEEP_WALK_SECONDS:
            self._counts = self._count()
            self._counted_at = self._clock()
        return self._counts

    def _count(self):
        """Sessions, and what workers report of their caches, in one walk over all keys."""
        families, complete = self._walk_keys()
        return {
            'sessions': {'count': families['session'], 'complete': complete},
            'cache': _cache(overview.workers(self._store, keys=families['cache-statistics']),
                            overview.logs(self._store, keys=families['cache'])),
        }

    def _walk_keys(self):
        keys, client, until = self._store.keys, self._store.client(), self._clock() + LONGEST_WALK_SECONDS
        found = {'session': 0, 'cache-statistics': [], 'cache': []}
        for key in client.scan_iter(match=keys.every_pattern, count=_SCAN_COUNT):
            family = keys.family_of(key)
            if family == 'session':
                found[family] += 1
            elif family in found:
                found[family].append(key)
            if self._clock() > until:
                return found, False
        return found, True


def _cache(workers, logs):
    """Hits and misses of all workers of the last minutes, and the logs that share results."""
    local, shared, computed = (sum(row[name] for row in workers) for name in ('local', 'shared', 'computed'))
    return {'workers': len(set((row['node'], row['process']) for row in workers)),
            'hits': local + shared, 'misses': computed, 'shared_hits': shared,
            'hit_rate': overview.rate(local + shared, computed),
            'shared_rate': overview.rate(shared, computed),
            'logs': [{'database': log['database'], 'bytes': log['bytes'], 'batches': log['batches']}
                     for log in logs]}


def _readable(value):
    return native(value) if isinstance(value, bytes) else value
