# -*- coding: utf-8 -*-
"""How a returned value is kept, so that a caller who changes it changes only his own.

Immutable values, nearly all of them, are kept and handed out as they are. Of
containers a private copy is kept and each reader gets another. What cannot be
copied safely (records, cursors, objects of unknown classes) is not kept at all.
"""
import copy
import datetime
import decimal
import functools

from oe_cluster_launch.compat import integer_types, text_type

#: classes whose objects cannot change
_ATOMS = frozenset((type(None), bool, float, complex, bytes, text_type, datetime.date,
                    datetime.datetime, datetime.time, datetime.timedelta, decimal.Decimal)
                   + integer_types)
#: the containers we know how to copy
_CONTAINERS = (tuple, frozenset, list, dict, set)


class NotKeepable(TypeError):
    """A value that must not outlive the call that computed it."""


class Copied(object):
    """A kept container: every reader gets a copy of his own.

    :ivar fresh: called without arguments, makes a copy that belongs to the caller. An attribute, for
        most copies are made by one built-in method, and a method of ours would cost as much again
    """

    __slots__ = ('fresh',)

    def __init__(self, fresh):
        self.fresh = fresh


def keep(value):
    """The form in which `value` is kept: itself, or a :class:`Copied`.

    :raises NotKeepable: see the module's text
    """
    kind = value.__class__
    if kind in _ATOMS or _is_immutable(value):
        return value
    if kind in (list, dict, set) and all(map(_is_immutable, _members(value))):
        own = kind(value)
        return Copied(functools.partial(list, own) if kind is list else own.copy)
    if _is_known(value):
        return Copied(functools.partial(_clone, _clone(value)))
    return Copied(functools.partial(copy.deepcopy, copy.deepcopy(_refuse_unknown(value))))


def handed_out(kept):
    """What a reader gets of a kept value."""
    return kept.fresh() if kept.__class__ is Copied else kept


def is_plain(value):
    """Whether a value is made of built-in types alone, so that another process can rebuild it."""
    return _is_known(value)


def _members(value):
    return value.values() if isinstance(value, dict) else value


def _is_immutable(value):
    kind = value.__class__
    if kind in _ATOMS:
        return True
    return kind in (tuple, frozenset) and all(map(_is_immutable, value))


def _is_known(value):
    kind = value.__class__
    if kind in _ATOMS:
        return True
    if kind not in _CONTAINERS:
        return False
    if kind is dict and not all(map(_is_known, value)):
        return False
    return all(map(_is_known, _members(value)))


def _clone(value):
    """A deep copy of known containers, several times faster than copy.deepcopy."""
    kind = value.__class__
    if kind in (list, tuple):
        return kind(map(_clone, value))
    if kind is dict:
        return dict((key, _clone(member)) for key, member in value.items())
    return set(value) if kind is set else value


def _refuse_unknown(value):
    """`value` if it is a subclass of a container full of known values (an OrderedDict, say)."""
    if isinstance(value, (list, dict, set, tuple)):
        pairs = list(value.items()) if isinstance(value, dict) else list(value)
        if _is_known(pairs):
            return value
    raise NotKeepable("a %s cannot be copied safely" % type(value).__name__)
