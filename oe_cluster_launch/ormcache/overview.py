# -*- coding: utf-8 -*-
"""The shared ormcache as an operator sees it: who hits how often, what is kept, how to drop it.

Reads what workers report (statistics.py) and the logs themselves. Works from
any machine that reaches Redis; knows neither the host nor PostgreSQL.
"""
import json
import re

from oe_cluster_launch.compat import native, unquote

#: keys looked at per SCAN
_SCAN_COUNT = 500
#: what a log's identity adds to the database's name: two object ids of PostgreSQL
_IDENTITY = re.compile(r'^(.*)-\d+-\d+$')


def workers(store, keys=None):
    """What every worker has reported lately, as dictionaries, by node and process.

    :param keys: of their reports, from a caller who has looked for them already
    """
    client, reports = store.client(), []
    if keys is None:
        keys = client.scan_iter(store.keys.cache_statistics_pattern, count=_SCAN_COUNT)
    for key in keys:
        text = client.get(key)
        if text:
            reports.append(json.loads(native(text)))
    return sorted(reports, key=lambda report: (report['node'], report['process']))


def logs(store, database=None, keys=None):
    """The logs in Redis, of all databases or of one, as dictionaries; `keys` as for workers()."""
    client = store.client()
    found = []
    if keys is None:
        keys = client.scan_iter(store.keys.cache_pattern(), count=_SCAN_COUNT)
    for key in keys:
        identity, generation = [unquote(part) for part in native(key).split(':')[-2:]]
        match = _IDENTITY.match(identity)
        name = match.group(1) if match else identity
        head = client.lindex(key, 0)
        if head and database in (None, name):
            found.append({'database': name, 'generation': generation, 'key': native(key),
                          'bytes': int(native(head).split(' ')[1]), 'batches': client.llen(key) - 1,
                          'ends_in': max(client.pttl(key), 0) // 1000})
    return sorted(found, key=lambda log: (log['database'], log['generation']))


def drop(store, database=None):
    """Delete the logs of one database or of all; returns how many there were."""
    keys = [log['key'] for log in logs(store, database)]
    return store.client().delete(*keys) if keys else 0


def rate(hits, misses):
    """Hits as a percentage of all lookups; None when there was none."""
    return 100.0 * hits / (hits + misses) if hits + misses else None
