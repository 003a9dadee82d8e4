# -*- coding: utf-8 -*-
"""Cache keys in one form, the same on every node and in every process.

A lookup may pass 'x' and the next u'x', 1 or 1L or True: equal in a dict, not
equal once written down. Here equal keys become the same key. What only one
process understands (a record, an object) stays local; what cannot be a key
at all is refused as the host refuses it, by TypeError.
"""
from oe_cluster_launch.compat import integer_types, text_type


class LocalOnly(ValueError):
    """A key that no other process could look up."""


def canonical(part):
    """The one form of a key or of a part of it.

    :raises LocalOnly: it holds something that is no plain value
    """
    kind = part.__class__
    if part is None or kind is text_type:
        return part
    if kind is bytes:
        return _as_text(part)
    if kind is bool or kind in integer_types:
        return int(part)
    if kind is float:
        return _number(part)
    if kind is tuple:
        return tuple(map(canonical, part))
    raise LocalOnly(kind.__name__)


def _as_text(part):
    """ASCII bytes become the text they are equal to, where this Python says that they are."""
    try:
        text = part.decode('ascii')
    except UnicodeDecodeError:
        return part
    return text if text == part else part


def _number(part):
    """A float that equals an integer becomes that integer."""
    if part != part:
        raise LocalOnly("not a number is not even equal to itself")
    return int(part) if part.is_integer() else part
