# -*- coding: utf-8 -*-
"""The facts as text for a terminal. A pure function."""
from oe_cluster_launch.cluster.listing import boxed, duration
from oe_cluster_launch.status.timeline import moment

COLUMNS = ('node', 'role', 'state', 'busy', 'waiting', 'req/s', 'failed', 'load', 'version', 'uptime', 'seen')
HISTORY_SHOWN = 5


def render(facts):
    """Everything, as lines."""
    lines = ["cluster %s   %s   %s" % (facts['cluster'], moment(facts['time']), _leader(facts)), ""]
    for warning in facts['warnings']:
        lines.append("%s %s. %s" % ('!!' if warning['level'] == 'fail' else ' !', warning['what'].rstrip('.'),
                                    warning['remedy']))
    if facts['warnings']:
        lines.append("")
    if facts['nodes']:
        rows = [_node(node) for node in facts['nodes']]
        lines += [boxed("%d nodes" % len(rows), COLUMNS, rows), ""]
    if not facts['redis']['error']:
        lines += [_redis(facts['redis']), _counts(facts)]
        lines += [""] + [_tenure(tenure, facts['time']) for tenure in facts['history'][:HISTORY_SHOWN]]
    return '\n'.join(lines).rstrip()


def _leader(facts):
    if facts['redis']['error']:
        return "Redis is away"
    if facts['paused']:
        return "cron is paused"
    if not facts['leader']:
        return "nobody leads cron"
    return "%s leads cron, term %d" % (facts['leader'], facts['term'])


def _node(node):
    load = node.get('load') or {}
    row = dict.fromkeys(COLUMNS, '')
    row.update(node=node['node'], role=node.get('role', ''), state=node.get('state', ''),
               version=node.get('version', ''), seen='%s ago' % duration(node['last_seen_seconds']))
    if 'uptime_seconds' in node:
        row['uptime'] = duration(node['uptime_seconds'])
    if load:
        row.update({'busy': '%d/%d' % (load['busy'], load['ready']), 'waiting': load['queued'],
                    'req/s': load['requests_per_second'], 'failed': load['requests_failed'],
                    'load': '%.2f/%d' % (load['load_average'], load['processors'])})
    return row


def _redis(redis):
    limit = " of %s" % megabytes(redis['maxmemory']) if redis['maxmemory'] else ""
    return "redis %s %s: %s%s, %s ops/s, %s clients, %s ms, %s evicted, %s" % (
        redis['redis_version'], redis['role'], megabytes(redis['used_memory'] or 0), limit,
        redis['instantaneous_ops_per_sec'], redis['connected_clients'], redis['milliseconds'],
        redis['evicted_keys'], redis['maxmemory_policy'])


def _counts(facts):
    sessions, cache = facts['sessions'], facts['cache']
    if not sessions:
        return ""
    rate = cache['hit_rate']
    return "%s%d sessions; ormcache of %d workers: %s, %d found by another worker" % (
        "" if sessions['complete'] else "over ", sessions['count'], cache['workers'],
        "no lookups yet" if rate is None else "%.1f %% hits" % rate, cache['shared_hits'])


def _tenure(tenure, now):
    until = tenure.get('until_ms', now * 1000) / 1000.0
    return "term %-6d %-12s since %s for %-8s %s" % (
        tenure['term'], tenure['node'], moment(tenure['since_ms'] / 1000.0),
        duration(until - tenure['since_ms'] / 1000.0),
        tenure.get('why', '' if 'until_ms' in tenure else 'now'))


def megabytes(count):
    return '%.1f MB' % (count / 1048576.0)
