# -*- coding: utf-8 -*-
"""Which cached answers may be believed: decisions about the signaling sequences.

The host keeps two PostgreSQL sequences per database: one moves when models
change, one when any cached answer may have changed. The pair, read before a
request takes its snapshot, is the generation of all it computes. PostgreSQL
is the only authority; nothing here reads or writes anything.
"""
import collections

RELOAD, CLEAR, KEEP = 'reload', 'clear', 'keep'


class Generation(collections.namedtuple('Generation', 'registry cache')):
    """The pair of sequence values."""

    __slots__ = ()

    @property
    def text(self):
        return '%s-%s' % self


def reception(known, found):
    """What to do when the sequences read `found` while this process knows `known`."""
    if known.registry != found.registry:
        return RELOAD
    return CLEAR if known.cache != found.cache else KEEP


def adopted(known, drawn):
    """The value a process knows after it has drawn `drawn` from a sequence for its own change.

    t0  A knows 5    t1  B draws 6    t2  A draws 7
    If A took 7 as known it would never receive B's change: only the direct
    successor is adopted, else the next check finds a difference and acts on it.
    """
    return drawn if drawn == known + 1 else known
