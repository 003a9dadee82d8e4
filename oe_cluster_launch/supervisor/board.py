# -*- coding: utf-8 -*-
"""The board: shared memory in which each process of a node says what it does.

Made in the master before any fork. A slot has one writer, the process it was
given to, except for `leave`, which only the master writes. Times are
monotonic, so a changed clock kills nobody. It ends with the master: counters
start again at zero after a reload, as Prometheus expects of a new process.
"""
import json
import mmap
import struct

from oe_cluster_launch.compat import monotonic, to_bytes, to_text

SLOT_BYTES = 2048
SLOTS = 512
_BEAT, _BUSY_SINCE, _LEAVE, _READY, _KIND, _TEXT_LENGTH = 0, 8, 16, 17, 18, 20
_COUNTERS, _FIGURES, _TEXT = 24, 280, 344

#: what kind of process a slot is of
FREE, MASTER, HTTP_WORKER, CRON_AGENT, ANSWERER, OTHER = range(6)

#: what a node counts, and what it means; the order is that of the memory
COUNTERS = [
    ('requests', "requests answered by OpenERP"),
    ('requests_refused', "requests answered 4xx before OpenERP saw them"),
    ('requests_failed', "requests that ended in an exception"),
    ('clients_gone', "clients that closed or stalled before they had their answer"),
    ('limit_time_real', "requests ended by limit_time_real"),
    ('limit_time_cpu', "requests ended by limit_time_cpu"),
    ('limit_memory_hard', "requests ended by limit_memory_hard"),
    ('limit_memory_soft', "workers that left because of limit_memory_soft"),
    ('limit_request', "workers that left because of limit_request"),
    ('workers_started', "processes forked"),
    ('workers_killed', "processes the master killed because they hung"),
    ('workers_crashed', "processes that ended by a signal or an error"),
]
_COUNTER_INDEX = dict((name, index) for index, (name, _) in enumerate(COUNTERS))

#: what is so at this moment, and who says it
FIGURES = [
    ('workers_wanted', "HTTP workers there should be (master)"),
    ('queued', "connections that wait for a worker (master)"),
    ('queue_limit', "how many can wait before the kernel drops new ones (master)"),
    ('lease_until', "when the cron lease is over, monotonic; 0: not held (cron agent)"),
    ('lease_term', "the term it was won with (cron agent)"),
]
_FIGURE_INDEX = dict((name, index) for index, (name, _) in enumerate(FIGURES))


class Slot(object):
    """One process's place on the board."""

    def __init__(self, board, number):
        self._board = board
        self._memory = board.memory
        self._start = number * SLOT_BYTES
        self.number = number

    def begin_life(self, kind):
        """Empty it for a new process. Called in the master."""
        self._memory[self._start:self._start + SLOT_BYTES] = b'\0' * SLOT_BYTES
        self._put('B', _KIND, kind)
        self.beat()

    def _get(self, form, offset):
        return struct.unpack_from(form, self._memory, self._start + offset)[0]

    def _put(self, form, offset, value):
        struct.pack_into(form, self._memory, self._start + offset, value)

    def beat(self):
        """Say that this process is alive."""
        self._put('d', _BEAT, monotonic())

    @property
    def silent_seconds(self):
        """How long ago the process has said so."""
        return monotonic() - self._get('d', _BEAT)

    def begin(self, now, doing):
        """Say what this process works on, for whoever has to explain its end.

        :param now: monotonic
        :param doing: a JSON object in ASCII
        """
        struct.pack_into('dd', self._memory, self._start + _BEAT, now, now)  # _BUSY_SINCE, too
        self.describe(doing)

    def describe(self, doing):
        """Say it more precisely."""
        text = to_bytes(doing)[:SLOT_BYTES - _TEXT]
        start = self._start + _TEXT
        self._memory[start:start + len(text)] = text
        self._put('I', _TEXT_LENGTH, len(text))

    def end(self, now):
        """Say that it is done."""
        self._put('I', _TEXT_LENGTH, 0)
        struct.pack_into('dd', self._memory, self._start + _BEAT, now, 0.0)

    @property
    def busy_seconds(self):
        """How long it has been at its work, or None when it has none."""
        since = self._get('d', _BUSY_SINCE)
        return monotonic() - since if since else None

    @property
    def doing(self):
        """What it works on, as begin() was told; {} when idle or torn by a concurrent write."""
        text = self._memory[self._start + _TEXT:
                            self._start + _TEXT + self._get('I', _TEXT_LENGTH)]
        try:
            return json.loads(to_text(text)) if text else {}
        except ValueError:
            return {}

    @property
    def leave(self):
        """Whether the master wants this process to go. A signal may come too early to be seen:

        t0 master forks - t1 master sends SIGTERM - t2 child installs its handlers
        """
        return bool(self._get('B', _LEAVE))

    @leave.setter
    def leave(self, value):
        self._put('B', _LEAVE, int(value))

    @property
    def ready(self):
        """Whether the process got as far as its main loop."""
        return bool(self._get('B', _READY))

    @ready.setter
    def ready(self, value):
        self._put('B', _READY, int(value))

    def count(self, name, amount=1):
        """Add to one of this process's counters."""
        offset = _COUNTERS + 8 * _COUNTER_INDEX[name]
        self._put('Q', offset, self._get('Q', offset) + amount)

    def show(self, name, value):
        """Say one of FIGURES; a number."""
        self._put('d', _FIGURES + 8 * _FIGURE_INDEX[name], value)

    def shown(self, name):
        """What was said last of that figure; 0.0 when nothing was."""
        return self._get('d', _FIGURES + 8 * _FIGURE_INDEX[name])

    def counted(self, name):
        return self._get('Q', _COUNTERS + 8 * _COUNTER_INDEX[name])


class Board(object):
    """All slots. Slot 0 is the master's own; it also keeps the counts of those that ended."""

    def __init__(self):
        self.memory = mmap.mmap(-1, SLOTS * SLOT_BYTES)
        self.master = Slot(self, 0)
        self.master.begin_life(MASTER)
        self._free = list(range(SLOTS - 1, 0, -1))
        self._taken = {0: self.master}

    def take(self, kind=OTHER):
        """A slot for a process about to be forked. Called in the master."""
        number = self._free.pop()
        self._taken[number] = Slot(self, number)
        self._taken[number].begin_life(kind)
        return self._taken[number]

    def slots(self, kind):
        """The slots of all processes of a kind, also of those forked after the one that asks."""
        found = [number for number in range(SLOTS)
                 if struct.unpack_from('B', self.memory, number * SLOT_BYTES + _KIND)[0] == kind]
        return [Slot(self, number) for number in found]

    def give_back(self, slot):
        """The process has ended: its counts are kept, its slot is free. Called in the master."""
        if self._taken.pop(slot.number, None) is None:
            return
        for name, _ in COUNTERS:
            self.master.count(name, slot.counted(name))
        slot._memory[slot._start:slot._start + SLOT_BYTES] = b'\0' * SLOT_BYTES
        self._free.append(slot.number)

    @property
    def draining(self):
        """Whether this node is about to stop, so that it is not ready for new clients."""
        return self.master.leave

    @draining.setter
    def draining(self, value):
        self.master.leave = value

    def total(self, name):
        """A counter over all processes of this master, from any of them."""
        offset = _COUNTERS + 8 * _COUNTER_INDEX[name]
        return sum(struct.unpack_from('Q', self.memory, number * SLOT_BYTES + offset)[0]
                   for number in range(SLOTS))
