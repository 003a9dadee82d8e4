# -*- coding: utf-8 -*-
"""Writes a session: tries, and when somebody was faster, fits the changes in and tries again.

Each try is one run of session_write.lua, which writes all or nothing and only
if the version is the one we know. Every refused try means that somebody else
succeeded, so the tries of all together come to an end.
"""
import logging

from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.metrics import table
from oe_cluster_launch.sessions.changes import find_changes, only_sign_ins, resolve
from oe_cluster_launch.sessions.record import About, Snapshot, fields_of, handle_of, tombstones

#: how long a request that began before a log-out or a log-in may take and still be recognized
TOMBSTONE_LIFE_MS = 3600 * 1000
_MOST_TRIES = 200
_NOT_THERE = Snapshot(0, {})

_logger = logging.getLogger(__name__)


class _Attempt(object):
    """What is known of the stored session before a try.

    :ivar session_id: where it is now
    :ivar stored: its snapshot; _NOT_THERE when it has to be made
    """

    def __init__(self, session, changes):
        self.session_id = session.opened_id
        self.changes = changes
        self.stored = session.snapshot or _NOT_THERE
        self.tombstones = {}


class Writer(object):
    """Writes the sessions of one store. Keeps nothing between two writes."""

    def __init__(self, store, codec, life_ms, anonymous_life_ms):
        self._store = store
        self._codec = codec
        self._life_ms = life_ms
        self._anonymous_life_ms = anonymous_life_ms

    def write(self, session, now):
        """Bring what changed in `session` to Redis; `now` is the time of day. Whether anything was written.

        :raises RedisUnavailable: Redis is away, or the session never stood still
        """
        changes = find_changes(session, self._codec)
        if not changes and not (session.keep and session.new):
            return False
        attempt = _Attempt(session, changes)
        for _ in range(_MOST_TRIES):
            resolution = resolve(session, attempt.changes, attempt.stored, attempt.tombstones, self._codec)
            if not resolution.fields and session.new and not session.keep:
                return False
            outcome, details = self._try(session, attempt, resolution, now)
            if outcome == b'done':
                self._settle(session, attempt, resolution, int(details[0]))
                return True
            table.SESSION_CONFLICTS.count()
            if not self._prepare_next(session, attempt, outcome, details):
                return False
        raise RedisUnavailable("session %s is changed faster than it can be written"
                               % handle_of(session.opened_id))

    def create(self, session, now, life_ms):
        """Store a session that is not there yet; False when its id is taken."""
        changes = find_changes(session, self._codec)
        attempt = _Attempt(session, changes)
        resolution = resolve(session, changes, _NOT_THERE, {}, self._codec)
        return bool(resolution.fields) and self._try(
            session, attempt, resolution, now, life_ms)[0] == b'done'

    def _try(self, session, attempt, resolution, now, life_ms=None):
        """One run of the script: (outcome, details)."""
        old_id, new_id = attempt.session_id, self._id_from_now_on(session, attempt)
        keys = self._store.keys
        stored = attempt.stored
        ends = not resolution.fields and not session.keep
        names = list(resolution.fields) if new_id != old_id else resolution.written
        pairs = [self._codec.seal(new_id, name, resolution.fields[name]) for name in names]
        about = About(stored.about.created or now, resolution.users)
        if (stored is _NOT_THERE or new_id != old_id or about.users != stored.about.users
                or not stored.about.fresh):
            pairs.append(self._codec.seal_about(new_id, about))
        arguments = [
            'none' if stored is _NOT_THERE else stored.version, old_id, new_id,
            keys.session_index_start, ' '.join(_owners(keys, resolution.users)),
            life_ms or (self._life_ms if resolution.users else self._anonymous_life_ms),
            TOMBSTONE_LIFE_MS, int(ends), len(pairs)]
        for pair in pairs:
            arguments.extend(pair)
        arguments.append(len(resolution.removed))
        for name, laid in sorted(resolution.removed.items()):
            arguments.extend([b'=' + _bytes(name), int(laid)])
        reply = self._store.run('session_write', [
            keys.session(old_id), keys.tombstones(old_id), keys.session_moved(old_id),
            keys.session(new_id), keys.tombstones(new_id)], arguments)
        return reply[0], reply[1:]

    def _id_from_now_on(self, session, attempt):
        """A log-in gives the session a new id, wherever it is by now."""
        return session.sid if session.sid != session.opened_id else attempt.session_id

    def _prepare_next(self, session, attempt, outcome, details):
        """Learn from a refused try; False when there is nothing left to write."""
        if outcome == b'changed':
            attempt.stored = self._codec.snapshot(attempt.session_id, fields_of(details[0]))
            attempt.tombstones = tombstones(fields_of(details[1]))
            return True
        if outcome == b'moved':
            attempt.session_id = native(details[0])
            return self._look(session, attempt)
        return self._begin_anew(session, attempt, tombstones(fields_of(details[0])))

    def _look(self, session, attempt):
        """Read the session where it moved to; when it is gone from there too, begin anew."""
        keys = self._store.keys
        pipeline = self._store.client().pipeline(transaction=True)
        pipeline.hgetall(keys.session(attempt.session_id))
        pipeline.hgetall(keys.tombstones(attempt.session_id))
        pipeline.get(keys.session_moved(attempt.session_id))
        fields, laid, _moved_on = pipeline.execute()
        attempt.tombstones = tombstones(laid)
        if fields:
            attempt.stored = self._codec.snapshot(attempt.session_id, fields)
            return True
        if _moved_on:
            attempt.session_id = native(_moved_on)
            return self._look(session, attempt)
        return self._begin_anew(session, attempt, attempt.tombstones)

    def _begin_anew(self, session, attempt, laid):
        """The session has ended meanwhile: only a log-in of this very request makes a new one."""
        attempt.changes = only_sign_ins(session, attempt.changes)
        attempt.tombstones = laid
        attempt.stored = _NOT_THERE
        attempt.session_id = session.sid
        survives = [name for name in attempt.changes.written
                    if laid.get(name, -1) <= session.snapshot.version]
        if not survives:
            _logger.info("session %s ended while a request of it ran: its changes are dropped",
                         handle_of(session.opened_id))
        return bool(survives)

    def _settle(self, session, attempt, resolution, version):
        """Let the session be what is stored now, so that it can be saved again."""
        if attempt.session_id != session.opened_id and session.sid == session.opened_id:
            return  # written to where the session moved; its new id is not for this request
        about = About(attempt.stored.about.created, resolution.users)
        session_id = session.sid
        dict.clear(session)
        dict.update(session, resolution.values)
        gone = not resolution.fields and not session.keep
        session.opened(session_id, None if gone else Snapshot(version, resolution.fields, about))


def _owners(keys, users):
    return sorted(set(keys.session_owner(user.database, user.uid) for user in users))


def _bytes(name):
    return name if isinstance(name, bytes) else name.encode('utf-8')
