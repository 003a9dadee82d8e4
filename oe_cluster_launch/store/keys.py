# -*- coding: utf-8 -*-
"""The only file that builds Redis keys. One method or property per family.

Every key starts with `redis_prefix`, so that clusters can share a server and
an ACL can be written as `~PREFIX:*`. Parts that come from outside (a database
name, a URL, a handle) are escaped: no value can make one family's key look
like another's. Text only; times to live are stated where a key is written.
"""
import hashlib

from oe_cluster_launch.compat import native, quote, to_bytes


class Keys(object):
    """The keys of one cluster.

    :param prefix: the setting `redis_prefix`
    """

    def __init__(self, prefix):
        self.prefix = prefix

    @property
    def every_pattern(self):
        """SCAN pattern of all keys of this cluster."""
        return self._key('*')

    def family_of(self, key):
        """The word behind the prefix, such as `session`."""
        return native(key)[len(self.prefix) + 1:].split(':', 1)[0]

    # ------------------------------------------------------------ sessions
    def session(self, session_id):
        """Hash of one session: sealed values by name, and the script's own fields."""
        return self._key('session', session_id)

    @property
    def session_start(self):
        """What every session key starts with; scripts append an id."""
        return self._key('session', '')

    @property
    def session_pattern(self):
        """SCAN pattern of all sessions."""
        return self._key('session', '*')

    def session_id_of(self, key):
        """The session id in a key of :meth:`session`."""
        return native(key)[len(self.session_start):]

    def tombstones(self, session_id):
        """Hash of what was deleted from a session: name to the version that deleted it."""
        return self._key('session-tombstones', session_id)

    @property
    def tombstones_start(self):
        return self._key('session-tombstones', '')

    def session_moved(self, session_id):
        """String: the id that an old session id became at login. For requests in flight only."""
        return self._key('session-moved', session_id)

    @property
    def session_moved_start(self):
        return self._key('session-moved', '')

    def session_imported(self, session_id):
        """String: a session file of this id was imported once and is not imported again."""
        return self._key('session-imported', session_id)

    def session_index(self, database, uid):
        """Sorted set of the ids of a user's sessions, scored by when each ends (ms)."""
        return self.session_index_start + self.session_owner(database, uid)

    @property
    def session_index_start(self):
        return self._key('session-index', '')

    @staticmethod
    def session_owner(database, uid):
        """A user as the last part of an index key: escaped database name and user id."""
        return '%s:%d' % (_escaped(database), uid)

    def session_index_pattern(self, database=None):
        """SCAN pattern of the indexes, of all databases or of one."""
        return self.session_index_start + ('*' if database is None else _escaped(database) + ':*')

    # ------------------------------------------------------------ lease and cluster
    def lease(self, name='cron'):
        """String with TTL: `<token> <term> <node>` of whoever holds the lease."""
        return self._key('lease', name)

    def term(self, name='cron'):
        """Counter: the number of the newest term of a lease. Never expires."""
        return self._key('term', name)

    def lease_history(self, name='cron'):
        """Capped list: who held the lease, from when to when."""
        return self._key('lease-history', name)

    def tenure(self, name='cron'):
        """Hash: who leads since when, closed into the history; or a term that left sessions behind."""
        return self._key('tenure', name)

    @property
    def candidates(self):
        """Sorted set: nodes that may lead, scored by cron_priority."""
        return self._key('candidates')

    @property
    def cron_bell(self):
        """Pub/sub channel: something about the cron lead has changed, look now."""
        return self._key('cron', 'bell')

    def cron_control(self, name='pause'):
        """What an operator asked of all cron agents: pause, switch-over."""
        return self._key('cron', name)

    def member(self, node_name):
        """String with TTL: the record a node keeps of itself."""
        return self._key('member', _escaped(node_name))

    @property
    def members_seen(self):
        """Sorted set: when each node last reported, in ms of the server's clock."""
        return self._key('members-seen')

    @property
    def member_pattern(self):
        """SCAN pattern of the nodes alive."""
        return self._key('member', '*')

    @property
    def cluster_events(self):
        """Pub/sub channel on which nodes tell each other what to do now."""
        return self._key('events')

    @property
    def cluster_event_count(self):
        """Counter of what was told on that channel, for nodes that did not hear it. Never expires."""
        return self._key('event-count')

    def cluster_lock(self, name):
        """String with TTL: a lock such as the one around updates."""
        return self._key('lock', _escaped(name))

    def shared_path(self, path):
        """Hash with TTL: node to the mark it has written into that folder."""
        return self._key('shared-path', _escaped(path))

    def finished_update(self, database):
        """String with TTL: which modules a node has just installed or updated there."""
        return self._key('finished-update', _escaped(database))

    def progress(self, job_id):
        """Hash with TTL: how far the creation of a database is, and how it ended."""
        return self._key('progress', _escaped('%s' % job_id))

    # ------------------------------------------------------------ ormcache
    def cache(self, database_identity, generation):
        """List with TTL: the shared ormcache of one database at one generation, a log of batches."""
        return self._key('cache', _escaped(database_identity), _escaped(generation))

    def cache_pattern(self, database_identity_start=''):
        """SCAN pattern of the logs of all databases, or of those whose identity starts like this."""
        return self._key('cache', _escaped(database_identity_start) + '*')

    def cache_statistics(self, node_name, process_id):
        """String with TTL: what one worker's ormcache did."""
        return self._key('cache-statistics', _escaped(node_name), '%d' % process_id)

    @property
    def cache_statistics_pattern(self):
        """SCAN pattern of the statistics of all workers."""
        return self._key('cache-statistics', '*')

    # ------------------------------------------------------------ OpenID
    def openid_associations(self, server_url):
        """Hash of a provider's associations by handle, sealed."""
        return self._key('openid-association', _digest(server_url))

    def openid_nonce(self, server_url, timestamp, salt):
        """String with TTL: this answer of a provider was used; holds its time in seconds."""
        return self._key('openid-nonce', _digest(server_url, '%d' % timestamp, salt))

    @property
    def openid_association_pattern(self):
        """SCAN pattern of all providers' associations."""
        return self._key('openid-association', '*')

    @property
    def openid_nonce_pattern(self):
        """SCAN pattern of all used nonces."""
        return self._key('openid-nonce', '*')

    # ------------------------------------------------------------ other
    def report(self, database_identity, uid, report_id):
        """Hash with TTL: a report that one worker renders and another delivers."""
        return self._key('report', _escaped(database_identity), '%d' % uid, _escaped('%s' % report_id))

    def report_pattern(self, database_identity):
        """SCAN pattern of all reports of a database."""
        return self._key('report', _escaped(database_identity), '*')

    def _key(self, *parts):
        return ':'.join((self.prefix,) + parts)


def _escaped(text):
    """Letters, digits and `_.-` stay; anything else, `:` and `*` included, becomes %XX."""
    return native(quote(to_bytes(text), safe=''))


def _digest(*parts):
    """For parts of any length and content; the lengths keep `ab`+`c` from being `a`+`bc`."""
    summary = hashlib.sha256()
    for part in parts:
        part = to_bytes(part)
        summary.update(to_bytes('%d:' % len(part)) + part)
    return summary.hexdigest()
