# -*- coding: utf-8 -*-
"""The dictionary a request works on; looks like a werkzeug session.

It remembers what it was when it was opened, and its id changes by itself as
soon as somebody has signed in: whoever asks for `sid` after a log-in gets the
new one, before anything is written. Belongs to one request; not thread-safe.
"""
import binascii
import os

_ID_BYTES = 20


def new_session_id():
    """160 random bits as 40 hexadecimal digits, the form of the host's own ids."""
    return binascii.hexlify(os.urandom(_ID_BYTES)).decode('ascii')


class RedisSession(dict):
    """A session of one request.

    :ivar new: it was not in the store when it was opened
    :ivar snapshot: what was in the store then, or None
    :ivar keep: store it even with nothing worth storing in it (its id was given away)
    :ivar modified: as in werkzeug; we look at the contents instead
    """

    def __init__(self, values, session_id, policy, snapshot=None):
        dict.__init__(self, values)
        self.keep = False
        self.modified = False
        self.policy = policy
        self.opened(session_id, snapshot)

    def opened(self, session_id, snapshot):
        """Start counting changes from here: after opening and after each save."""
        self.opened_id = session_id
        self.snapshot = snapshot
        self.new = snapshot is None
        self.users_when_opened = self._users()
        self._next_id = None

    @property
    def sid(self):
        """The id this session has once it is stored: a new one when somebody signed in."""
        if self.new or not self.signed_in_since_opened():
            return self.opened_id
        if self._next_id is None:
            self._next_id = new_session_id()
        return self._next_id

    @property
    def stored(self):
        """Whether the store knows this session."""
        return self.snapshot is not None

    def signed_in_since_opened(self):
        """The names of the values in which somebody signed in during this request."""
        users = self._users()
        return [name for name in users if users[name] != self.users_when_opened.get(name)]

    def _users(self):
        found = ((name, self.policy.user(value)) for name, value in self.items())
        return dict((name, user) for name, user in found if user)

    def __repr__(self):
        return '<%s of %d values>' % (type(self).__name__, len(self))
