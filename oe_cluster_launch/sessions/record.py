# -*- coding: utf-8 -*-
"""A session as it is in Redis: one hash, one sealed field per value.

    =NAME      a value: pickled, then sealed for (this session, this field)
    #version   counts the writes; a write is refused when it is not what was read
    #owners    who is signed in, as the index keys need it
    #about     sealed JSON for operators: created at, who is signed in

Values are opened one by one, so that one field can be written without the others.
"""
import hashlib
import json

from oe_cluster_launch.compat import native, string_types, to_bytes, to_text
from oe_cluster_launch.errors import SealError
from oe_cluster_launch.sessions.policy import User

VERSION, OWNERS, ABOUT = b'#version', b'#owners', b'#about'
#: not stored: in how many ms a session shall be renewed, as session_open.lua tells
DUE = b'#due'
_VALUE = b'='


def handle_of(session_id):
    """What may be shown of a session id, which is itself a password: 12 digits of its digest."""
    return hashlib.sha256(to_bytes(session_id)).hexdigest()[:12]


def field_of(name):
    """The hash field of a value's name (text)."""
    return _VALUE + to_bytes(name)


def name_of(field):
    """The name in a hash field: `str` where ASCII allows it, as the host writes them."""
    text = to_text(field[len(_VALUE):])
    try:
        return native(text.encode('ascii'))
    except UnicodeEncodeError:
        return text


class Field(object):
    """One value as it was read: its pickle, and whether the newest key sealed it.

    :ivar look: what the value that was made of it looked like then, see Pickles.look(); None: not known
    """

    __slots__ = ('plain', 'fresh', 'look')

    def __init__(self, plain, fresh=True):
        self.plain = plain
        self.fresh = fresh
        self.look = None


class Snapshot(object):
    """A session as it was read or written: its version, its fields by name, and about it.

    Nothing may change it: it is what changes are compared with.
    """

    def __init__(self, version, fields, about=None):
        self.version = version
        self.fields = fields
        self.about = about or About()


class About(object):
    """What operators may know of a session: when it began and who is signed in.

    :ivar fresh: whether the newest key sealed it
    """

    def __init__(self, created=None, users=(), fresh=True):
        self.created = created
        self.users = sorted(set(users))
        self.fresh = fresh


class Codec(object):
    """From Redis' replies to snapshots and values, and back."""

    def __init__(self, sealing, pickles):
        self._sealing = sealing
        self._pickles = pickles

    def snapshot(self, session_id, stored):
        """The :class:`Snapshot` in the fields of a hash.

        :raises SealError: any part of it is not ours or not for this session
        """
        if VERSION not in stored or not stored[VERSION].isdigit():
            raise SealError("A session key holds something that is no session")
        fields = {}
        for field, token in stored.items():
            if field.startswith(_VALUE):
                plain, fresh = self._sealing.unseal_and_tell(token, 'session', session_id, field)
                fields[name_of(field)] = Field(plain, fresh)
        return Snapshot(int(stored[VERSION]), fields, self.about(session_id, stored.get(ABOUT)))

    def load(self, field):
        """The value of a field; raises SealError for classes that are not allowed."""
        return self._pickles.load(field.plain)

    def open(self, field):
        """The value of a field, for a request that may change it: the field remembers its looks."""
        value = self._pickles.load(field.plain)
        field.look = self._pickles.look(value)
        return value

    def is_as_opened(self, field, value):
        """Whether `value`, which open() returned for `field`, was surely not changed since."""
        return field.look is not None and field.look == self._pickles.look(value)

    def load_plain(self, data):
        """The value in a pickle that is not sealed; raises SealError for classes that are not allowed."""
        return self._pickles.load(data)

    def dump(self, value):
        """`value` as a :class:`Field`."""
        return Field(self._pickles.dump(value))

    def seal(self, session_id, name, field):
        """(hash field, token) of a value for one session."""
        key = field_of(name)
        return key, self._sealing.seal(field.plain, 'session', session_id, key)

    def about(self, session_id, token):
        """The :class:`About` of a session; raises SealError."""
        if not token:
            return About()
        plain, fresh = self._sealing.unseal_and_tell(token, 'session', session_id, ABOUT)
        try:
            told = json.loads(to_text(plain))
            return About(told['created'], [User(*user) for user in told['users']], fresh)
        except (KeyError, TypeError, ValueError) as error:
            raise SealError("What is told about a session cannot be read: %s" % error)

    def seal_about(self, session_id, about):
        """(hash field, token) of an :class:`About`."""
        told = json.dumps({'created': about.created, 'users': about.users})
        return ABOUT, self._sealing.seal(to_bytes(told), 'session', session_id, ABOUT)


def fields_of(reply):
    """A script's list of fields and values in turn as a dictionary."""
    return dict(zip(reply[::2], reply[1::2]))


def tombstones(stored):
    """{name: version that deleted it} in the fields of a hash."""
    return dict((name_of(field), int(version)) for field, version in stored.items())


def is_name(name):
    """Whether a value of that name can be stored and found again: names are text."""
    if not isinstance(name, string_types):
        return False
    try:
        to_text(name)
    except UnicodeDecodeError:
        return False
    return True
