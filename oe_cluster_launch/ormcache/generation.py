# -*- coding: utf-8 -*-
"""Which cached answers may be believed: decisions about the signaling sequences.

The host keeps two PostgreSQL sequences per database: one moves when models
change, one when any cached answer may have changed. Read before a request
takes its snapshot, they are the generation of all it computes. PostgreSQL is
the only authority; nothing here reads or writes anything.
"""
import collections

RELOAD, CLEAR, KEEP = 'reload', 'clear', 'keep'


class Generation(collections.namedtuple('Generation', 'database started registry cache')):
    """What a database says of itself.

    :ivar database: another for every database that ever had this name
    :ivar started: when PostgreSQL started; after a fail-over the sequences may
        have gone back, and what was cached may never have been
    :ivar registry: the sequence of the models
    :ivar cache: the sequence of the cached answers
    """

    __slots__ = ()

    @property
    def text(self):
        return '%s-%s-%s' % self[1:]


def reception(known, found):
    """What to do when a database says `found` while this process knows `known`."""
    if (known.database, known.registry) != (found.database, found.registry):
        return RELOAD
    return CLEAR if known != found else KEEP


def adopted(known, drawn):
    """The value a process knows after it has drawn `drawn` from a sequence for its own change.

    t0  A knows 5    t1  B draws 6    t2  A draws 7
    If A took 7 as known it would never receive B's change: only the direct
    successor is adopted, else the next check finds a difference and acts on it.
    """
    return drawn if drawn == known + 1 else known
