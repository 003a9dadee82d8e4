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


def workers(store, database=None, keys=None):
    """One row per worker and database, as the workers have reported lately, by node and process.

    :param keys: of their reports, from a caller who has looked for them already
    """
    client, rows = store.client(), []
    if keys is None:
        keys = client.scan_iter(store.keys.cache_statistics_pattern, count=_SCAN_COUNT)
    for key in keys:
        text = client.get(key)
        report = json.loads(native(text)) if text else {'databases': {}}
        rows += [_with_rates(dict(held, node=report['node'], process=report['process'], database=name))
                 for name, held in report['databases'].items() if database in (None, name)]
    return sorted(rows, key=lambda row: (row['node'], row['process'], row['database']))


def nodes(rows):
    """The rows of :func:`workers`, added up per node and database."""
    found = {}
    for row in rows:
        total = found.setdefault((row['node'], row['database']), {
            'node': row['node'], 'database': row['database'], 'workers': 0, 'entries': 0,
            'local': 0, 'shared': 0, 'computed': 0, 'generations': []})
        total['workers'] += 1
        for name in ('entries', 'local', 'shared', 'computed'):
            total[name] += row[name]
        total['generations'] = sorted(set(total['generations'] + [row['generation']]), key=str)
    return [_with_rates(found[place]) for place in sorted(found)]


def _with_rates(row):
    """With each level's hits as a percentage of the lookups that reached it."""
    row['local_rate'] = rate(row['local'], row['shared'] + row['computed'])
    row['shared_rate'] = rate(row['shared'], row['computed'])
    return row


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
