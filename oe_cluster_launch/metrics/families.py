# -*- coding: utf-8 -*-
"""One metric: its name, labels and meaning, and what to call to record it.

Every label has a fixed list of values, and a value that is not in it counts
as the last one. So no client can make a node keep more series than the table
says, whatever it sends; and all series exist, at zero, before the first event,
which rate() and alert rules need.

An HTTP worker counts a dozen times per request, which would take it a tenth of
a short one: it only notes, and writes whenever it is idle, else every quarter
of a second (`later`, `write`). One that is killed takes that much with it.
"""
import bisect
import collections
import itertools

#: what this process has noted and not yet written: (family, child, number); None: written at once
_noted = None


def later(wanted=True):
    """From now on this process only notes what it counts. After the fork, in an HTTP worker."""
    global _noted
    _noted = collections.deque() if wanted else None


def write():
    """Write what was noted into the files that all processes share. In any thread."""
    if not _noted:
        return
    numbers = {}
    try:
        while True:
            family, child, number = _noted.popleft()  # atomic, so each is written once
            numbers.setdefault(child, (family, []))[1].append(number)
    except IndexError:
        pass
    for child, (family, found) in numbers.items():
        family._write(child, found)


class Family(object):
    """The common part. Made at import; records nothing until it is bound.

    :param labels: pairs (name, values); values are None where they are only known
        when the node starts, which is for facts about the node alone
    :param buckets: upper bounds, of a histogram
    :param mode: how a gauge of several processes is one number: 'livesum' adds up, 'max' takes
        the largest; processes that have ended do not count
    """

    type = None

    def __init__(self, name, meaning, labels=(), buckets=None, mode=None):
        self.name = name
        self.meaning = meaning
        self.labels = tuple(labels)
        self.buckets = buckets
        self.mode = mode
        self._metric = None
        self._children = None

    @property
    def label_names(self):
        return [name for name, _ in self.labels]

    @property
    def is_free(self):
        """Whether its labels have no fixed values."""
        return any(values is None for _, values in self.labels)

    def bind(self, make):
        """From now on record. In the master; what it forks inherits that.

        :param make: prometheus_client's class for this type
        """
        options = {'registry': None}
        if self.buckets:
            options['buckets'] = self.buckets
        if self.mode:
            options['multiprocess_mode'] = self.mode
        self._metric = make(self.name, self.meaning, self.label_names, **options)
        if self.is_free:
            self._children = {}
        elif self.labels:
            self._children = dict((values, self._metric.labels(*values)) for values in
                                  itertools.product(*[values for _, values in self.labels]))
        else:
            self._children = {(): self._metric}

    def unbind(self):
        """Record nothing any more. For tests."""
        self._metric = self._children = None

    def _record(self, values, number):
        if self._children is None:
            return
        child = self._child(values)
        if _noted is None:
            self._write(child, [number])
        else:
            _noted.append((self, child, number))

    def _child(self, values):
        try:
            return self._children[values]
        except KeyError:
            if self.is_free:
                return self._metric.labels(*values)
            return self._children[tuple(value if value in known else known[-1]
                                        for value, (_, known) in zip(values, self.labels))]


class Counter(Family):
    """Only grows; its name ends in _total."""

    type = 'counter'

    def count(self, *values):
        """One more with these label values."""
        self._record(values, 1)

    def add(self, amount, *values):
        """So many more."""
        if amount:
            self._record(values, amount)

    @staticmethod
    def _write(child, numbers):
        child.inc(sum(numbers))


class Gauge(Family):
    """A number as it is now. Zero in a process that never set it, so none of ours is negative."""

    type = 'gauge'

    def set(self, number, *values):
        if self._children is not None:
            self._child(values).set(number)


class Computed(Gauge):
    """A gauge that no process records: page.py works it out when it is asked."""

    def bind(self, make):
        pass


class Histogram(Family):
    """How many of what size."""

    type = 'histogram'

    def observe(self, number, *values):
        """One of this size."""
        self._record(values, number)

    @staticmethod
    def _write(child, numbers):
        if len(numbers) == 1:
            child.observe(numbers[0])
            return
        # what observe() does, once for all of them
        places = collections.Counter(bisect.bisect_left(child._upper_bounds, number) for number in numbers)
        child._sum.inc(sum(numbers))
        for place, many in places.items():
            child._buckets[place].inc(many)
