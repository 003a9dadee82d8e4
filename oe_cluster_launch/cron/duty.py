# -*- coding: utf-8 -*-
"""What the cron agent and its workers share: one page of memory per tenure.

The agent writes until when its lease lasts, each worker what it is doing and
since when. Every field is one aligned machine word, so a reader sees the old
or the new value, never half of each; nothing needs a lock. A worker asks
`may_start` before each job and so starts nothing after the lease, even when
both processes were stopped and woke up long after it ran out.
"""
import ctypes
import mmap
import os
import select
import uuid

from oe_cluster_launch.compat import monotonic

#: more cron workers than this on one node make no sense; one place is the watch's
MOST_WORKERS = 64

IDLE = 1         #: asleep until the next look at the databases
POLLING = 2      #: asking a database for due jobs
WORKING = 3      #: running a job
NO_DATABASE = 4  #: no database answers


class _Slot(ctypes.Structure):
    _fields_ = [('state', ctypes.c_int64), ('since', ctypes.c_double),
                ('database_answered_at', ctypes.c_double)]


class _Page(ctypes.Structure):
    _fields_ = [('expires_at', ctypes.c_double), ('term', ctypes.c_int64),
                ('newest_term', ctypes.c_int64), ('slots', _Slot * MOST_WORKERS)]


class Duty(object):
    """One tenure, as its agent sees it. Made before the workers are forked.

    :ivar token: tells two tenures apart that Redis gave the same term
    :ivar predecessor: term of an earlier leader that vanished without releasing, or 0
    """

    def __init__(self, node, term, predecessor=0, clock=monotonic):
        self.node = node
        self.token = uuid.uuid4().hex
        self.predecessor = predecessor
        self._clock = clock
        self._page = _Page.from_buffer(mmap.mmap(-1, ctypes.sizeof(_Page)))
        self._page.term = term

    @property
    def term(self):
        """The term of this tenure."""
        return self._page.term

    @property
    def newest_term(self):
        """The newest term that a worker met in a database, when it was not ours."""
        return self._page.newest_term

    def extend(self, expires_at):
        """Workers may start jobs until then."""
        self._page.expires_at = expires_at

    def end(self):
        """No worker of this tenure starts anything from now on, even one that missed its signal."""
        self._page.expires_at = 0.0

    @property
    def ended(self):
        """Whether the agent has ended this tenure, as opposed to a lease that ran out."""
        return self._page.expires_at == 0.0

    def may_start(self):
        """Whether a job may be started at this moment."""
        return self._clock() < self._page.expires_at

    def saw(self, term):
        """A worker met this newer term in a database."""
        self._page.newest_term = max(self._page.newest_term, term)

    def start_slot(self, index):
        """A new worker takes this place."""
        slot = self._page.slots[index]
        slot.state, slot.since, slot.database_answered_at = IDLE, self._clock(), self._clock()

    def note(self, index, state):
        """A worker says what it does now."""
        slot = self._page.slots[index]
        if slot.state != state:
            slot.since = self._clock()
        slot.state = state
        if state in (IDLE, WORKING):
            slot.database_answered_at = self._clock()

    def working_seconds(self, index):
        """How long a worker has been at its present job; 0 when it is at none."""
        slot = self._page.slots[index]
        return self._clock() - slot.since if slot.state == WORKING else 0.0

    def silence_seconds(self, indexes):
        """How long these workers have been trying in vain to reach PostgreSQL; 0 when none tries.

        A worker at a job neither proves nor disproves that it can be reached.
        """
        slots = [self._page.slots[index] for index in indexes]
        if not [slot for slot in slots if slot.state in (POLLING, NO_DATABASE)]:
            return 0.0
        return self._clock() - max(slot.database_answered_at for slot in slots)


class Shift(object):
    """One worker's part of a duty: all that the host's `run_jobs(shift)` is given.

    :ivar index: which of the `size` workers of this node it is, from 0
    """

    def __init__(self, duty, index, size):
        self._duty = duty
        self._wake_fd = None
        self._told_to_stop = False
        self.index = index
        self.size = size
        self.node = duty.node
        self.token = duty.token
        self.predecessor = duty.predecessor

    @property
    def term(self):
        return self._duty.term

    @property
    def over(self):
        """Whether this worker should end, as soon as its present job is done."""
        return self._told_to_stop or self._duty.ended

    def listen(self, wake_fd):
        """Signals write to this descriptor, so that `wait` ends."""
        self._wake_fd = wake_fd

    def stop(self, *_signal):
        """From a signal handler: finish the present job, start none."""
        self._told_to_stop = True

    def may_start(self):
        """To be asked right before each job, with the job's row locked."""
        return not self._told_to_stop and self._duty.may_start()

    def saw(self, term):
        """A database knows a newer term than ours: nothing may run until ours is raised."""
        self._duty.saw(term)

    def polling(self):
        self._duty.note(self.index, POLLING)

    def idle(self):
        self._duty.note(self.index, IDLE)

    def working(self):
        self._duty.note(self.index, WORKING)

    def no_database(self):
        self._duty.note(self.index, NO_DATABASE)

    def wait(self, seconds):
        """Sleep, but not after a signal."""
        if self._told_to_stop or seconds <= 0:
            return
        try:
            ready = select.select([self._wake_fd] if self._wake_fd is not None else [], [], [], seconds)[0]
        except select.error:  # Python 2: interrupted by a signal
            return
        if ready:
            os.read(self._wake_fd, 4096)
