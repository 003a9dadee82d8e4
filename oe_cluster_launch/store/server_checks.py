# -*- coding: utf-8 -*-
"""Is this Redis fit to keep sessions? Asked once at boot, and by `oe-cluster-launch check`.

Each finding says what was found, what it would cost and what to do. A server
that cannot be used at all (wrong password, no such database, too old) is
`fatal`; one that may lose sessions is not, and `redis_faults` decides. What an
ACL user may not ask (CONFIG) is left out: no finding is not a promise.
"""
import logging

from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import RedisUnavailable

_logger = logging.getLogger(__name__)

#: TIME followed by a write in one script needs effect replication, the default since 5.0
OLDEST_VERSION = (5, 0)
_EVICTING = ('allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'allkeys-lrm',
             'volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-lrm', 'volatile-ttl')


class Finding(object):
    """One thing about the server that an operator should know.

    :ivar fatal: the cluster cannot work with this server at all
    """

    def __init__(self, what, remedy, fatal=False):
        self.what = what
        self.remedy = remedy
        self.fatal = fatal

    def __str__(self):
        return "%s. %s" % (self.what, self.remedy)

    def __repr__(self):
        return "<Finding %s>" % self


def check_server(store):
    """The list of :class:`Finding` about the server; empty when it is fit.

    Writes and deletes one short-lived key, because an ACL or a replica shows
    only then. Never raises for a fault of the server: that is a finding.
    """
    try:
        client = store.client()
        client.ping()
        information = client.info()
        _try_a_write(store)
    except RedisUnavailable as error:
        return [Finding(str(error).rstrip('.'), "Nothing works without it", fatal=True)]
    return examine(client, information, store.url)


def examine(client, information, url):
    """The findings about a server that answers; `information` is what INFO said."""
    return [finding for finding in (
        version(information, url), eviction(client, information, url),
        persistence(client, information, url)) if finding]


def apply_findings(findings, refuse):
    """Log every finding; raise RedisUnavailable on a fatal one, or on any if `refuse`."""
    for finding in findings:
        _logger.warning("%s", finding)
    stopping = [finding for finding in findings if finding.fatal or refuse]
    if stopping:
        raise RedisUnavailable("\n".join(str(finding) for finding in stopping))


def _try_a_write(store):
    key = store.keys.cluster_lock('boot-check')
    store.client().set(key, b'1', px=1000)
    store.run('probe', [key])


def version(information, url):
    """A fatal finding when the server is too old."""
    text = native(information.get('redis_version', '0'))
    numbers = tuple(int(part) for part in text.split('.')[:2] if part.isdigit())
    if numbers < OLDEST_VERSION:
        return Finding("Redis at %s is version %s" % (url, text),
                       "Use %d.%d or later" % OLDEST_VERSION, fatal=True)


def eviction(client, information, url):
    """A finding when the server deletes sessions to make room."""
    policy = native(information.get('maxmemory_policy') or _config(client, 'maxmemory-policy') or '')
    if policy in _EVICTING:
        return Finding(
            "Redis at %s has maxmemory-policy %s: under memory pressure it deletes sessions, "
            "that is, logs users out" % (url, policy),
            "Set maxmemory-policy noeviction in redis.conf")


def persistence(client, information, url):
    """A finding when the server forgets everything at a restart."""
    if information.get('aof_enabled'):
        return None
    snapshots = snapshot_rule(client)
    if snapshots is None or snapshots:
        return None  # may not ask, or snapshots are taken
    return Finding(
        "Redis at %s has neither append-only file nor snapshots: when it restarts, "
        "everybody is logged out" % url,
        "Set appendonly yes in redis.conf")


def snapshot_rule(client):
    """When snapshots are taken, as redis.conf says it; '' is never, None is "we may not ask"."""
    return _config(client, 'save')


def _config(client, name):
    """A server setting, or None when this user may not ask for it."""
    try:
        return client.config_get(name).get(name)
    except RedisUnavailable:
        return None
