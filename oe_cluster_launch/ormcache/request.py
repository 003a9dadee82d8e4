# -*- coding: utf-8 -*-
"""What a request knows before it is committed: its clears, its answers, its signals.

A `Request` belongs to one thread, a `DatabaseState` to one database in it, a
`Transaction` to one cursor. An answer computed in a transaction is kept with
it and reaches the first level only when it commits. Once a request has cleared
anything it works on a `View` of its own until it ends, so that neither its
uncommitted answers nor its clears are seen by anyone else.
"""
import contextlib
import threading

from oe_cluster_launch.ormcache.local import MISSING, level_of

_thread = threading.local()

#: the states that have a View; empty nearly always, so that a hit need only test it for truth
states_with_view = set()


class Request(object):
    """The work of one thread between two boundaries.

    :ivar bounded: somebody will end it. A thread that nobody gave boundaries
        (a report's, say) has an unbounded request: its boundaries are its commits
    :ivar expected_users: database to the user whose row version its check reads along
    """

    def __init__(self, bounded):
        self.bounded = bounded
        self.expected_users = {}
        self._states = {}

    def database(self, name):
        """The :class:`DatabaseState` of a database, made at first use."""
        try:
            return self._states[name]
        except KeyError:
            return self._states.setdefault(name, DatabaseState(name, self))

    def databases(self):
        """The states of all databases this request has touched."""
        return list(self._states.values())

    def discard(self):
        """Let go of all views; for the end of the request."""
        for state in self.databases():
            state.reset()


class DatabaseState(object):
    """What one request did to one database.

    :ivar checked: the signaling sequences were compared in this request
    :ivar generation: what they were then
    :ivar epoch: the first level's epoch then
    :ivar cleared: something cached may have changed: signal after commit
    :ivar models_changed: the host asked to signal a registry change
    :ivar models_touched: the host changed models in memory before it was committed
    :ivar committed, failed: a cursor was committed; one was rolled back
    :ivar quiet: how many callers want clears not to count as changes
    :ivar user_versions: user id to version of the row, None for no such active user
    :ivar proven: user id to the password this request has logged in with
    :ivar polled: the second level need not be asked again in this request
    :ivar fresh: committed answers that other nodes do not know yet
    """

    def __init__(self, name, request):
        self.level = level_of(name)
        self.name = name
        self.request = request
        self.open_cursors = 0
        self.quiet = 0
        self.checked = False
        self.generation = self.epoch = None
        self.polled = False
        self.user_versions = {}
        self.proven = {}
        self.view = None
        self.reset()

    def reset(self):
        """As if nothing had been cleared, committed or computed."""
        self.cleared = self.models_changed = self.models_touched = False
        self.committed = self.failed = False
        self.fresh = []
        self.view = None
        states_with_view.discard(self)

    def clear(self):
        """Something cached may have changed: from here on this request is on its own."""
        if self.quiet:
            return
        self.cleared = self.polled = True
        self.fresh = []
        if self.view is None:
            self.view = View()
            states_with_view.add(self)

    @contextlib.contextmanager
    def quietly(self):
        """Within, dropping caches is no change that others must hear of."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1


class View(object):
    """One request's own picture of the first level, taken table by table at first use."""

    def __init__(self):
        self._tables = {}
        self._emptied = set()

    def answers(self, place, table):
        """The request's own answers of one method: a dict by key, starting with what is committed.

        :param place: the pair (model, cached method)
        """
        answers = self._tables.get(place)
        if answers is None:
            answers = {} if place[0] in self._emptied else table.entries()
            self._tables[place] = answers
        return answers

    def empty(self, model):
        """Forget all answers of a model."""
        self._emptied.add(model)
        for place, answers in self._tables.items():
            if place[0] is model:
                answers.clear()


class Transaction(object):
    """What was computed through one cursor since its last commit or rollback.

    :ivar wrote: something other than a SELECT was executed since
    :ivar autocommit: every statement commits itself
    """

    def __init__(self, name):
        self._name = name
        state = current().database(name)
        state.open_cursors += 1
        self._opened_in = state
        self.autocommit = False
        self._begin()

    def _begin(self):
        self.wrote = False
        self._answers = {}
        self._in_view = []
        # before the snapshot, which the next query takes
        self._epoch = level_of(self._name).epoch

    def find(self, place, key):
        """An answer computed in this transaction, or MISSING."""
        found = self._answers.get((place, key))
        return MISSING if found is None else found[1]

    def keep(self, place, table, key, kept):
        """Keep an answer until it is known whether the transaction commits."""
        self._answers[place, key] = table, kept

    def keep_in_view(self, answers, key, kept):
        """Keep an answer in the request's view; it goes when the transaction is rolled back."""
        answers[key] = kept
        self._in_view.append((answers, key))

    def committed(self):
        """The answers are true for everybody now, unless something was cleared meanwhile."""
        state = self._state()
        if self._answers and state.view is None:
            answers = [(table, key, kept) for (_place, key), (table, kept) in self._answers.items()]
            if state.level.put(self._epoch, answers):
                state.fresh.extend((place, key, kept)
                                   for (place, key), (_table, kept) in self._answers.items())
        state.committed = True
        self._begin()

    def rolled_back(self):
        """The answers may never have been true."""
        for answers, key in self._in_view:
            answers.pop(key, None)
        self._state().failed = True
        self._begin()

    def closed(self):
        """Closed without a commit since: as rolled back, unless it only read."""
        if self.wrote and not self.autocommit:
            self.rolled_back()
        elif self._answers:
            committed = self._state().committed
            self.committed()
            self._state().committed = committed
        self._opened_in.open_cursors -= 1

    def _state(self):
        return current().database(self._name)


def current():
    """The request of this thread; an unbounded one if nobody began any."""
    try:
        return _thread.request
    except AttributeError:
        _thread.request = Request(bounded=False)
        return _thread.request


class bounded(object):
    """`with bounded(end):` gives this thread a request with an end; within another bounded one: part of it.

    :param end: called with the request when it is over, also after an exception
    """

    def __init__(self, end):
        self._end = end
        self._outer = self._request = None

    def __enter__(self):
        outer = current()
        if outer.bounded:
            return outer
        self._outer = outer
        self._request = _thread.request = Request(bounded=True)
        return self._request

    def __exit__(self, kind, error, traceback):
        if self._request is None:
            return
        try:
            self._end(self._request)
        finally:
            self._request.discard()
            _thread.request = self._outer
