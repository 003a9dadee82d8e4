# -*- coding: utf-8 -*-
"""What in the facts an operator should know before it hurts. Pure functions.

Each warning has a level (`fail`: users notice; `warn`: they may soon), what was
found, and what to do.
"""
FAIL, WARN = 'fail', 'warn'

#: clocks further apart than this make logs and due times of jobs confusing
SKEW_SECONDS = 2.0
#: due times of jobs are then plainly wrong
SKEW_FAILS_SECONDS = 30.0
MEMORY_FULL = 0.9
#: one node's load average per processor
LOAD_PER_CPU = 2.0


def concerns(facts):
    """The list of warnings of all kinds, the worst first: dictionaries with level, what, remedy."""
    found = [each for kind in (_of_redis, _of_cron, _of_nodes) for each in kind(facts)]
    return sorted(found, key=lambda warning: warning['level'] != FAIL)


def _warning(level, what, remedy):
    return {'level': level, 'what': what, 'remedy': remedy}


def _of_redis(facts):
    redis = facts['redis']
    if redis['error']:
        yield _warning(FAIL, redis['error'], "Nobody can log in and cron does not run until it is back.")
        return
    for finding in redis['findings']:
        yield _warning(WARN, finding['what'], finding['remedy'])
    if redis.get('evicted_keys'):
        yield _warning(FAIL, "Redis has evicted %d keys since it started: sessions may be among them"
                       % redis['evicted_keys'], "Set maxmemory-policy noeviction and raise maxmemory.")
    used, limit = redis.get('used_memory') or 0, redis.get('maxmemory') or 0
    if limit and used > MEMORY_FULL * limit:
        yield _warning(WARN, "Redis uses %d %% of its maxmemory" % (100 * used // limit),
                       "Raise maxmemory: with noeviction a full Redis refuses to write.")
    for name, what in (('aof_last_write_status', "append-only file"), ('rdb_last_bgsave_status', "snapshot")):
        if redis.get(name) not in (None, 'ok'):
            yield _warning(FAIL, "Redis could not write its %s" % what, "See its log; is its disk full?")


def _of_cron(facts):
    if facts['redis']['error']:
        return
    if facts['paused']:
        yield _warning(WARN, "Cron is paused by %s" % facts['paused'].get('by', 'somebody'),
                       "`oe-cluster-launch resume` ends it.")
    elif not facts['leader'] and facts['nodes']:
        able = [node for node in facts['nodes'] if node.get('role') in ('candidate', 'leader')]
        yield _warning(FAIL, "No node leads cron: no scheduled job runs",
                       "If this stays, the candidates' logs say why." if able else
                       "Set cron = auto on a node, with max_cron_threads above 0.")


def _of_nodes(facts):
    for node in facts['nodes']:
        for level, what, remedy in _of_node(node):
            yield _warning(level, "Node %s %s" % (node['node'], what), remedy)
    versions = sorted(set(node['version'] for node in facts['nodes'] if node.get('version')))
    if len(versions) > 1:
        yield _warning(WARN, "The nodes run different versions of the launcher: %s" % ', '.join(versions),
                       "Finish the rolling upgrade.")


def _of_node(node):
    if node.get('state') == 'lost':
        yield (FAIL, "has not been heard of for %d s" % node['last_seen_seconds'],
               "It crashed, or cannot reach Redis.")
        return
    if node.get('state') != 'running':
        yield WARN, "is %s" % node.get('state'), "It takes no new work."
    for word in node['differs']:
        yield (FAIL if word in ('key', 'PostgreSQL') else WARN,
               "differs from most nodes in its %s" % word, _REMEDIES[word])
    if (node.get('reason') or '').startswith('must not run cron'):
        yield WARN, node['reason'], "Mend that, or set cron = never there."
    skew = node.get('clock_skew_seconds')
    if skew is not None and abs(skew) > SKEW_SECONDS:
        yield (FAIL if abs(skew) > SKEW_FAILS_SECONDS else WARN,
               "has a clock %.1f s %s that of Redis" % (abs(skew), "behind" if skew < 0 else "ahead of"),
               "Let chrony or systemd-timesyncd set the clocks of all machines.")
    for each in _of_load(node.get('load') or {}):
        yield each


def _of_load(load):
    if load.get('ready', 0) < load.get('wanted', 0):
        yield (WARN, "has %d of %d HTTP workers" % (load['ready'], load['wanted']),
               "Its log says why they end.")
    if load.get('queued') and load.get('busy') == load.get('ready'):
        yield (WARN, "has all its HTTP workers busy and %d connections waiting" % load['queued'],
               "Look for the slow requests; or more workers, if processors and PostgreSQL allow.")
    if load.get('load_average', 0) > LOAD_PER_CPU * load.get('processors', 1):
        yield (WARN, "has a load average of %.1f on %d processors" % (
            load['load_average'], load['processors']), "Fewer workers, or another node.")


_REMEDIES = {
    'version': "Use one OpenERP version on all nodes.",
    'addons': "Normal during a rolling update; else deploy the same addons everywhere.",
    'databases': "Use one db_name on all nodes.",
    'key': "Copy secret_key_file from another node: sessions cannot be read across nodes.",
    'PostgreSQL': "Check db_host and db_port, or give that cluster its own redis_prefix.",
}
