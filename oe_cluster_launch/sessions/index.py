# -*- coding: utf-8 -*-
"""Which sessions exist and whose they are, for operators and for revocation.

The index of a user (database, uid) is a sorted set of session ids, written by
the same scripts that write, renew and end the sessions. It cannot leak: an
entry is scored by when its session ends, old entries go at the next log-in,
and the whole key ends with its last session. It cannot mislead: an id counts
only if its session exists. SCAN and sorted sets only; KEYS is never used.
"""
from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import SealError
from oe_cluster_launch.sessions.record import ABOUT, VERSION, handle_of

_BATCH = 200
_MOST_PASSES = 20


class Listed(object):
    """One session as an operator sees it.

    :ivar handle: what is shown instead of the id, which is a password
    :ivar created: seconds since the epoch, or None
    :ivar ends_in_seconds: its remaining life when nobody uses it
    :ivar users: who is signed in: (database, uid, login)
    :ivar readable: False when it is not sealed with a key of this node
    """

    def __init__(self, session_id, ends_in_seconds, about, values):
        self.session_id = session_id
        self.handle = handle_of(session_id)
        self.ends_in_seconds = ends_in_seconds
        self.readable = about is not None
        self.created = about.created if about else None
        self.users = about.users if about else []
        self.values = values

    def is_of(self, database=None, login=None):
        """Whether one of its users is in that database under that login."""
        return any(database in (None, user.database) and login in (None, user.login) for user in self.users)


class SessionIndex(object):
    """Looks at the sessions of a store from outside; never prolongs their life."""

    def __init__(self, store, sessions):
        """`sessions` is the RedisSessionStore of the same cluster."""
        self._store = store
        self._keys = store.keys
        self._sessions = sessions

    def find(self, database=None, login=None):
        """The sessions of a database and/or a login, or all; an iterator of :class:`Listed`."""
        ids = self._sessions.list() if database is None else self._ids_of_database(database)
        wanted = database is not None or login is not None
        for listed in self._look(ids):
            if not wanted or listed.is_of(database, login):
                yield listed

    def find_one(self, name):
        """The session with that handle (or the start of it) or id; None when there is none.

        :raises LookupError: several handles start like this
        """
        if self._sessions.is_valid_key(name):
            return next(self._look([name]), None)
        found = [session_id for session_id in self._sessions.list() if handle_of(session_id).startswith(name)]
        if len(found) > 1:
            raise LookupError("%d sessions start with %s" % (len(found), name))
        return next(self._look(found), None)

    def of_user(self, database, uid):
        """The sessions a user is signed in at, from his index alone."""
        ids = self._store.client().zrange(self._keys.session_index(database, uid), 0, -1)
        return list(self._look([native(session_id) for session_id in ids]))

    def end_user(self, database, uid):
        """End every session of a user; holds on every node from the next request. Returns how many."""
        return self._end_until_none(lambda: self.of_user(database, uid))

    def end_found(self, database=None, login=None):
        """End every session that :meth:`find` finds, until it finds none. Returns how many."""
        return self._end_until_none(lambda: list(self.find(database, login)))

    def _end_until_none(self, find):
        # a session that gets its new id between SCAN and the end has escaped one pass, not the next
        ended = 0
        for _ in range(_MOST_PASSES):
            found = find()
            if not found:
                break
            ended += sum(self._sessions.end(listed.session_id) for listed in found)
        return ended

    def _ids_of_database(self, database):
        client = self._store.client()
        seen = set()
        for key in client.scan_iter(match=self._keys.session_index_pattern(database), count=500):
            seen.update(native(session_id) for session_id in client.zrange(key, 0, -1))
        return sorted(seen)

    def _look(self, ids):
        """What is known of those of the sessions that exist; one round trip per batch."""
        ids = list(ids)
        for start in range(0, len(ids), _BATCH):
            batch = ids[start:start + _BATCH]
            pipeline = self._store.client().pipeline(transaction=False)
            for session_id in batch:
                pipeline.hmget(self._keys.session(session_id), VERSION, ABOUT)
                pipeline.pttl(self._keys.session(session_id))
                pipeline.hkeys(self._keys.session(session_id))
            replies = pipeline.execute()
            for number, session_id in enumerate(batch):
                (version, about), left_ms, fields = replies[3 * number:3 * number + 3]
                if version is not None:
                    yield Listed(session_id, max(0, left_ms) / 1000.0, self._about(session_id, about),
                                 sorted(native(field[1:]) for field in fields if field.startswith(b'=')))

    def _about(self, session_id, token):
        try:
            return self._sessions.codec.about(session_id, token)
        except SealError:
            return None
