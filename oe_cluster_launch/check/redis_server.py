# -*- coding: utf-8 -*-
"""Redis: reached, new enough, keeps what it is given, quick, and lets us do what we need."""
import os

from oe_cluster_launch.check.result import fail, ok, warn
from oe_cluster_launch.compat import monotonic, native
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.store import server_checks
from oe_cluster_launch.store.subscription import Subscription

#: how often the latency is measured
PINGS = 25
#: a request waits for one or two answers; in one network each takes well below a millisecond
SLOW_SECONDS = 0.005
_DISK_STATES = ('rdb_last_bgsave_status', 'aof_last_bgrewrite_status', 'aof_last_write_status')
#: part of maxmemory in use from which on it will soon be full
FULL = 0.8


def server(context):
    """It answers with the node's credentials."""
    information = context.store().client().info()
    return ok("answers at %s, %s, up %d days" % (context.store().url, information.get('role', '?'),
                                                 information.get('uptime_in_days', 0)))


def sentinels(context):
    """Every Sentinel answers; with too few of them nobody replaces a lost master."""
    from redis import RedisError
    from redis.sentinel import Sentinel

    from oe_cluster_launch.store.address import sentinel_options
    settings = context.settings
    if not settings.redis_sentinels:
        return ok("none configured: this Redis is a single point of failure, by choice")
    silent = []
    known = Sentinel(list(settings.redis_sentinels),
                     sentinel_kwargs=sentinel_options(settings, settings.redis_timeout))
    for (host, port), client in zip(settings.redis_sentinels, known.sentinels):
        try:
            client.ping()
        except RedisError:
            silent.append('%s:%d' % (host, port))
    asked = len(settings.redis_sentinels)
    if silent:
        judge = fail if 2 * len(silent) >= asked else warn
        return judge("%d of %d do not answer: %s" % (len(silent), asked, ', '.join(silent)),
                     "Start them: without a majority a lost master is not replaced",
                     'redis_sentinels', ', '.join('%s:%d' % pair for pair in settings.redis_sentinels))
    return ok("all %d answer" % asked)


def version(context):
    """New enough."""
    information = context.store().client().info()
    return _judge(server_checks.version(information, context.store().url), context,
                  "Redis %s" % native(information.get('redis_version', '?')))


def policy(context):
    """It never deletes a session to make room."""
    store = context.store()
    information = store.client().info()
    return _judge(server_checks.eviction(store.client(), information, store.url), context,
                  "maxmemory-policy %s" % native(information.get('maxmemory_policy', 'noeviction')))


def memory(context):
    """There is room: a full server that evicts nothing refuses writes."""
    information = context.store().client().info()
    used, most = information.get('used_memory', 0), information.get('maxmemory', 0)
    if not most:
        return ok("%d MB used, no maxmemory" % (used >> 20))
    sentence = "%d of %d MB used" % (used >> 20, most >> 20)
    remedy = "Raise maxmemory in redis.conf"
    if used >= most:
        return fail(sentence + ": it refuses to store sessions", remedy, 'maxmemory', most)
    if used > FULL * most:
        return warn(sentence + ": soon it will refuse to store sessions", remedy, 'maxmemory', most)
    return ok(sentence)


def persistence(context):
    """What it is given outlives a restart, and its disk takes it."""
    store = context.store()
    client, information = store.client(), store.client().info()
    broken = [name for name in _DISK_STATES if native(information.get(name, 'ok')) != 'ok']
    if broken:
        return fail("Redis cannot write to its disk: %s is not ok" % ', '.join(broken),
                    "See its log; free space, and let its user write to `dir`", 'redis_url', store.url)
    if information.get('aof_enabled'):
        return ok("append-only file")
    snapshots = server_checks.snapshot_rule(client)
    if snapshots is None:
        return warn("the append-only file is off, and whether snapshots are taken this user may not ask",
                    "Set appendonly yes in redis.conf", 'redis_url', store.url)
    return _judge(server_checks.persistence(client, information, store.url), context,
                  "snapshots (save %s): what came after the last one is lost with the server"
                  % native(snapshots))


def latency(context):
    """An answer takes far less than a request can notice."""
    client = context.store().client()
    client.ping()
    spans = sorted(_measure(client) for _ in range(PINGS))
    median, worst = spans[len(spans) // 2], spans[-1]
    sentence = "%.1f ms, the slowest of %d %.1f ms" % (median * 1000, PINGS, worst * 1000)
    remedy = ("Put Redis into the nodes' own network, on a machine with a free core; see also "
              "redis-cli --latency and SLOWLOG")
    if median >= context.settings.ormcache_timeout:
        return fail("%s: longer than ormcache_timeout, so the shared ormcache is never used" % sentence,
                    remedy, 'redis_url', context.store().url)
    if median >= SLOW_SECONDS:
        return warn("%s: each request waits for one or two answers" % sentence, remedy,
                    'redis_url', context.store().url)
    return ok(sentence)


def _measure(client):
    began = monotonic()
    client.ping()
    return monotonic() - began


def rights(context):
    """Every command, key and channel that a node uses is allowed."""
    store = context.store()
    refused = [native(line) for line in store.run('rights_probe', _fresh_keys(store))]
    for trial in (_scan, _transaction, _listen_to_events, _listen_to_the_bell, _publish):
        try:
            trial(store)
        except RedisUnavailable as error:
            refused.append('%s: %s' % (trial.__name__.strip('_').replace('_', ' ').upper(), error))
    if not refused:
        return ok("all commands, keys %s:* and channels are allowed" % store.keys.prefix)
    more = " (and %d more)" % (len(refused) - 1) if len(refused) > 1 else ''
    return fail("Redis refuses %s%s" % (refused[0].rstrip('.'), more),
                "Give the ACL user the commands that conf/redis.conf lists, keys ~%s:* and channels &%s:*"
                % (store.keys.prefix, store.keys.prefix), 'redis_url', store.url)


def _fresh_keys(store):
    return [store.keys.cluster_lock('check-%d-%s' % (os.getpid(), part)) for part in 'ab']


def _scan(store):
    next(store.client().scan_iter(match=store.keys.member_pattern, count=1), None)


def _transaction(store):
    pipeline = store.client().pipeline(transaction=True)
    pipeline.exists(_fresh_keys(store)[0])
    pipeline.execute()


def _listen_to_events(store):
    _listen(store, store.keys.cluster_events)


def _listen_to_the_bell(store):
    _listen(store, store.keys.cron_bell)


def _listen(store, channel):
    subscription = Subscription(store, channel)
    subscription.listen()
    subscription.close()


def _publish(store):
    try:
        store.client().publish(store.keys.cluster_lock('check'), '')  # a channel nobody listens to
    except RedisUnavailable as error:
        if "'publish' command" in str(error):  # the two channels that count were tried above
            raise


def _judge(finding, context, good):
    if finding is None:
        return ok(good)
    judge = fail if finding.fatal or context.settings.redis_faults == 'refuse' else warn
    return judge(finding.what, finding.remedy, 'redis_url', context.store().url)
