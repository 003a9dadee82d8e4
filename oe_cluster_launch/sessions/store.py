# -*- coding: utf-8 -*-
"""RedisSessionStore: opens, closes and ends sessions. Looks like a werkzeug session store.

One round trip opens a session; none closes one that did not change; one writes
it, and a further one for each time another request was faster. Ids that are
unknown, malformed or whose values do not pass authentication get a new
session under a new id. It counts what it rejects, and never deletes it.
"""
import logging
import re
import time

from oe_cluster_launch.compat import monotonic, native, string_types
from oe_cluster_launch.errors import RedisUnavailable, SealError
from oe_cluster_launch.metrics import table
from oe_cluster_launch.sealing.pickles import Pickles, allowed_names
from oe_cluster_launch.sessions.policy import Policy
from oe_cluster_launch.sessions.record import DUE, Codec, fields_of, handle_of
from oe_cluster_launch.sessions.session import RedisSession, new_session_id
from oe_cluster_launch.sessions.writer import Writer

_ID = re.compile(r'^[a-f0-9]{40}\Z')
#: a renewal that came later than this share of the life could come too late
_LATEST_TOUCH = 4
#: of so many sessions a process knows when they shall be renewed
_MOST_DUE = 4096
#: rejections are logged at most this often
_COMPLAINT_INTERVAL_SECONDS = 60

_logger = logging.getLogger(__name__)


class RedisSessionStore(object):
    """The sessions of one cluster. Made in the master; each worker opens its own connection.

    :param store: the :class:`Store`
    :param policy: what the host's values mean
    :ivar rejected: how many sessions did not pass authentication, in this process
    """

    session_class = RedisSession

    def __init__(self, store, sealing, settings, policy=None):
        self._store = store
        self.policy = policy or Policy()
        self.codec = Codec(sealing, Pickles(tuple(self.policy.classes)
                                            + tuple(allowed_names(settings.unpickle_allow))))
        self._life_ms = int(settings.session_ttl * 1000)
        self._anonymous_life_ms = int(settings.session_anonymous_ttl * 1000)
        self._touch_ms = int(min(settings.session_touch_seconds * 1000,
                                 min(self._life_ms, self._anonymous_life_ms) / _LATEST_TOUCH))
        self._writer = Writer(store, self.codec, self._life_ms, self._anonymous_life_ms)
        #: session id -> when its life shall be renewed, monotonic; of sessions this process has read lately
        self._due = {}
        self.rejected = 0
        self._complained_at = float('-inf')

    # ------------------------------------------------------------ werkzeug's interface
    def is_valid_key(self, key):
        """Whether `key` has the form of an id; says nothing about its existence."""
        return isinstance(key, string_types) and _ID.match(key) is not None

    def generate_key(self, salt=None):
        """A new id, random; `salt` is not needed."""
        return new_session_id()

    def new(self):
        """An empty session under a new id; nothing is stored yet."""
        return RedisSession({}, native(new_session_id()), self.policy)

    def get(self, sid, touch=True):
        """The session of that id, or a new one under another id. One round trip.

        :param touch: False when this use must not prolong its life
        :raises RedisUnavailable: whether there is one is not known
        """
        if not self.is_valid_key(sid):
            return self.new()
        sid = native(sid)
        stored = self._read(sid, touch)
        if not stored:
            table.SESSION_OPERATIONS.count('open', 'unknown')
            return self.new()
        try:
            snapshot = self.codec.snapshot(sid, stored)
            values = dict((name, self.codec.open(field)) for name, field in snapshot.fields.items())
        except SealError as error:
            table.SESSION_OPERATIONS.count('open', 'refused')
            self._reject(sid, error)
            return self.new()
        table.SESSION_OPERATIONS.count('open', 'done')
        return RedisSession(values, sid, self.policy, snapshot)

    def save(self, session):
        """Write what changed since `session` was opened; nothing when nothing did.

        Atomic against every other request of the session; see changes.py for
        the rules. Afterwards the session is as it is stored.

        :raises RedisUnavailable: it is not known whether it was written
        """
        try:
            if self._writer.write(session, time.time()):
                table.SESSION_OPERATIONS.count('write', 'done')
        except RedisUnavailable:
            table.SESSION_OPERATIONS.count('write', 'unavailable')
            raise
        except SealError as error:  # somebody put a forged value there while the request ran
            table.SESSION_OPERATIONS.count('write', 'refused')
            self._reject(session.opened_id, error)

    def save_if_modified(self, session):
        """The same as :meth:`save`, which looks for itself."""
        self.save(session)

    def delete(self, session):
        """End a session at once and for everybody; what slower requests still write is ignored."""
        self.end(session.opened_id)

    def list(self):
        """The ids of all sessions. For tools: takes as many round trips as SCAN needs."""
        keys = self._store.keys
        return [keys.session_id_of(key)
                for key in self._store.client().scan_iter(match=keys.session_pattern, count=500)]

    # ------------------------------------------------------------ more than werkzeug's
    def end(self, session_id):
        """End the session of that id; True when there was one."""
        keys = self._store.keys
        ended = bool(self._run('end', 'session_end', [keys.session(session_id)],
                               [session_id, keys.session_index_start]))
        table.SESSION_OPERATIONS.count('end', 'done' if ended else 'unknown')
        return ended

    def adopt(self, session_id, values, life_seconds):
        """Store a session that was elsewhere, under the id it has; False when the id is taken."""
        session = RedisSession(values, session_id, self.policy)
        return self._writer.create(session, time.time(), int(life_seconds * 1000))

    def _read(self, sid, touch):
        """All fields of a session; its life is renewed when that is due, which a script tells."""
        key, due = self._store.keys.session(sid), self._due.pop(sid, None)
        if due is not None and (not touch or monotonic() < due):
            stored = self._counted('open', self._store.call, 'sessions', 'HGETALL', key)
        else:
            stored = fields_of(self._run('open', 'session_open', [key], [
                sid, self._store.keys.session_index_start, self._life_ms, self._anonymous_life_ms,
                self._touch_ms if touch else -1]))
            due = monotonic() + int(stored[DUE]) / 1000.0 if DUE in stored else None
        if stored and due is not None:
            if len(self._due) >= _MOST_DUE:
                self._due.clear()
            self._due[sid] = due
        return stored

    def _run(self, operation, script_name, keys, arguments):
        return self._counted(operation, self._store.run, script_name, keys, arguments)

    @staticmethod
    def _counted(operation, ask, *arguments):
        try:
            return ask(*arguments)
        except RedisUnavailable:
            table.SESSION_OPERATIONS.count(operation, 'unavailable')
            raise

    def _reject(self, session_id, error):
        self.rejected += 1
        if monotonic() > self._complained_at + _COMPLAINT_INTERVAL_SECONDS:
            self._complained_at = monotonic()
            _logger.warning("session %s is refused, its user gets a new one: %s (%d refused so far)",
                            handle_of(session_id), error, self.rejected)
