# -*- coding: utf-8 -*-
"""What a request changed in its session, and how that fits what others changed meanwhile.

Two steps, both without Redis: `find_changes` compares the session with its
snapshot, once; `resolve` applies the changes to whatever is stored now, as
often as somebody else was faster. The rules:

    a value that was deleted or logged out stays so for every request that
    began before the deletion, and may come back for one that began after it;
    a value that only ran out of worth is dropped without a trace;
    a value that two requests changed is merged (merge.py);
    where nobody is signed in, only what is worth storing then is kept.
"""
import logging

from oe_cluster_launch.sessions.merge import ABSENT, merge, same
from oe_cluster_launch.sessions.record import Field, Snapshot, is_name

_logger = logging.getLogger(__name__)


class Changes(object):
    """What one request did to its session.

    :ivar written: name -> (value, Field) that is new or different
    :ivar deleted: names that were deleted or logged out; they get tombstones
    :ivar dropped: names that are not worth storing any more
    """

    def __init__(self):
        self.written = {}
        self.deleted = set()
        self.dropped = set()

    def __bool__(self):
        return bool(self.written or self.deleted or self.dropped)

    __nonzero__ = __bool__


class Resolution(object):
    """What the session shall be, given what is stored now.

    :ivar values: name -> value, complete
    :ivar fields: name -> Field, complete
    :ivar written: the names among them that differ from what is stored
    :ivar removed: name -> whether it gets a tombstone
    :ivar users: who is signed in, as a set
    """

    def __init__(self, values, fields, written, removed, users):
        self.values = values
        self.fields = fields
        self.written = written
        self.removed = removed
        self.users = users


def find_changes(session, codec):
    """The :class:`Changes` of a session since it was opened, nested ones included.

    Costs one pickling per value that was not touched. Where that looks different, or was never
    looked at, values are compared: equal ones need not have equal pickles.
    """
    changes = Changes()
    policy, stored = session.policy, session.snapshot.fields if session.snapshot else {}
    changes.deleted.update(name for name in stored if name not in session)
    anybody = any(policy.user(value) for value in session.values())
    for name, value in session.items():
        if policy.has_ended(value):
            changes.deleted.add(name)
        elif not is_name(name):
            _logger.warning("a session value is not stored: its name %r is not text", name)
        elif not policy.worth_storing(name, value, anybody):
            changes.dropped.update([name] if name in stored else [])
        else:
            _find_change(changes, name, value, stored.get(name), codec)
    return changes


def _find_change(changes, name, value, was, codec):
    try:
        if was is not None and was.fresh and codec.is_as_opened(was, value):
            return
        field = codec.dump(value)
        if was is None or field.plain != was.plain and not same(codec.load(was), value):
            codec.load(field)  # what cannot be read back must not be written
            changes.written[name] = value, field
        elif not was.fresh:
            changes.written[name] = value, Field(was.plain)  # the same, sealed with the newest key
    except Exception as error:  # pickle calls code of the value's class, which may raise anything
        _logger.error("the session value %s is not stored, what was stored stays: %s", name, error)


def resolve(session, changes, stored, tombstones, codec):
    """The :class:`Resolution` of a request's changes with what is stored now.

    :param stored: the :class:`Snapshot` of now; the session's own when nobody was faster
    :param tombstones: name -> version that deleted it
    """
    base = session.snapshot or Snapshot(0, {})
    policy = session.policy
    values, fields = {}, dict(stored.fields)
    removed = {}
    for name in changes.deleted:
        removed[name] = True
        fields.pop(name, None)
    for name in changes.dropped:
        if _as_it_was(name, stored, base, codec) and fields.pop(name, None):
            removed[name] = False
    for name, (value, field) in changes.written.items():
        if tombstones.get(name, -1) > base.version:
            continue
        if _plain(stored, name) != _plain(base, name):
            value = _merged(name, value, base, stored, policy, codec)
            field = codec.dump(value)
        values[name], fields[name] = value, field
    for name in fields:
        if name not in values:
            known = name in session and _plain(base, name) == fields[name].plain
            values[name] = session[name] if known else codec.load(fields[name])
    users = set(filter(None, (policy.user(value) for value in values.values())))
    for name in [name for name in fields if not policy.worth_storing(name, values[name], bool(users))]:
        del fields[name], values[name]
        if name in stored.fields:
            removed[name] = False
    written = [name for name in fields
               if name not in stored.fields or fields[name] is not stored.fields[name]]
    return Resolution(values, fields, written, removed, users)


def _merged(name, value, base, stored, policy, codec):
    """My value with what others did to it; one that others dropped begins again from blank.

    Taken whole, mine would bring back what they removed before they dropped it.
    """
    def version_of(snapshot):
        if name in snapshot.fields:
            return codec.load(snapshot.fields[name])
        blank = policy.blank(value)
        return ABSENT if blank is None else blank

    theirs = version_of(stored)
    return value if theirs is ABSENT else merge(version_of(base), value, theirs, policy)


def only_sign_ins(session, changes):
    """The changes that hold even when the session has ended meanwhile: log-ins are a new beginning."""
    survivors = Changes()
    for name in session.signed_in_since_opened():
        if name in changes.written:
            survivors.written[name] = changes.written[name]
    return survivors


def _as_it_was(name, stored, base, codec):
    """Whether nobody changed that value since `base`: equal values need not have equal pickles."""
    now, then = stored.fields.get(name), base.fields.get(name)
    if now is None or then is None:
        return now is then
    return now.plain == then.plain or same(codec.load(now), codec.load(then))


def _plain(snapshot, name):
    field = snapshot.fields.get(name)
    return field.plain if field else None
