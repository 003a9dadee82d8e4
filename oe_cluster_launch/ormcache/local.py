# -*- coding: utf-8 -*-
"""The first level: the answers this process knows. A hit is one dict lookup.

One `Table` per model and cached method, bounded as in the host by entries per
method, and one `Level` per database, bounded in total. Instead of a list of
use, each table has a young and an old half: what is asked for again moves to
the young half, what is not is gone when that is full. Reading takes no lock: each
step is atomic under the interpreter's lock, and a lost race is only a miss.
"""
import threading
import weakref

MISSING = object()
#: default of Level.limit, for processes that no settings reach (tests, shells)
DEFAULT_LIMIT = 100000


class Table(dict):
    """The answers of one method of one model. Itself the young half; `old` is the other.

    The half of the host's LRU class that addons may use works too: len, in,
    [], del, clear, keys.
    """

    def __init__(self, size):
        super(Table, self).__init__()
        self.half = max(size // 2, 1)
        self.old = {}
        self._keep_old = size > 1

    def find(self, key):
        """The kept answer, also from the old half, or MISSING."""
        kept = self.get(key, MISSING)
        if kept is MISSING:
            kept = self.old.pop(key, MISSING)
            if kept is not MISSING:
                self.put(key, kept)
        return kept

    def put(self, key, kept):
        """Keep an answer."""
        if dict.__len__(self) >= self.half and key not in self:
            self.old = dict(self) if self._keep_old else {}
            dict.clear(self)
        self[key] = kept

    def forget(self, key):
        """Drop one answer, if it is there."""
        self.pop(key, None)
        self.old.pop(key, None)

    def clear(self):
        """Drop all answers."""
        dict.clear(self)
        self.old = {}

    def entries(self):
        """A plain dict of both halves."""
        both = dict(self.old)
        both.update(self)
        return both

    def __len__(self):
        return dict.__len__(self) + len(self.old)


class Level(object):
    """All tables of one database in this process.

    :ivar epoch: moves whenever everything was dropped; an answer computed
        from a snapshot of an earlier epoch must not be kept
    :ivar limit: most entries in all tables together
    """

    limit = DEFAULT_LIMIT

    def __init__(self, name):
        self.name = name
        self.epoch = 0
        self._tables = weakref.WeakValueDictionary()
        self._lock = threading.RLock()
        self._room = 0

    def table(self, size):
        """A new, empty table."""
        table = Table(size)
        self._tables[id(table)] = table
        return table

    def put(self, epoch, answers):
        """Keep answers that were computed from a snapshot of `epoch`; none of an earlier epoch.

        :param answers: triples (table, key, kept)
        :returns: whether they were kept
        """
        with self._lock:
            if epoch != self.epoch:
                return False
            for table, key, kept in answers:
                table.put(key, kept)
                self._room -= 1
            if self._room < 0:
                self._shed()
        return True

    def drop(self):
        """Forget everything, and whatever is being computed now."""
        with self._lock:
            self.epoch += 1
            for table in self._tables.values():
                table.clear()
            self._room = self.limit

    def entries(self):
        """How many answers are kept."""
        return sum(len(table) for table in list(self._tables.values()))

    def _shed(self):
        """Perhaps over the limit: count for real; let the old halves go if need be, then all."""
        if self.entries() > self.limit:
            for table in list(self._tables.values()):
                table.old = {}
        if self.entries() > self.limit:
            self.drop()
        self._room = self.limit - self.entries()


#: by database name; a level outlives the registries of its database, so its epoch never repeats
_levels = {}


def level_of(name):
    """The level of a database in this process."""
    try:
        return _levels[name]
    except KeyError:
        return _levels.setdefault(name, Level(name))


def levels():
    """The levels of all databases this process has seen."""
    return list(_levels.values())
