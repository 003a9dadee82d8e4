# -*- coding: utf-8 -*-
"""What a node has to do at this moment, for its record: read from the board, in any process of it."""
import os

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.supervisor.board import HTTP_WORKER

#: counters of the board that go into the record
COUNTED = ('requests', 'requests_failed', 'requests_refused', 'workers_crashed', 'workers_killed',
           'limit_time_real', 'limit_time_cpu', 'limit_memory_hard', 'limit_memory_soft')


class Load(object):
    """Makes the figures; keeps what it needs to tell a rate from two totals."""

    def __init__(self, board, clock=monotonic):
        self._board = board
        self._clock = clock
        self._earlier = None

    def figures(self):
        """{'load': {...}} for the record."""
        slots = [slot for slot in self._board.slots(HTTP_WORKER) if slot.ready]
        load = dict((name, self._board.total(name)) for name in COUNTED)
        busy = [seconds for seconds in (slot.busy_seconds for slot in slots) if seconds is not None]
        load.update(ready=len(slots), busy=len(busy), longest_busy_seconds=round(max(busy or [0]), 1),
                    wanted=int(self._board.master.shown('workers_wanted')),
                    queued=int(self._board.master.shown('queued')),
                    requests_per_second=self._rate(load['requests']),
                    load_average=round(os.getloadavg()[0], 2), processors=_processors())
        return {'load': load}

    def _rate(self, requests):
        """Requests per second since the last call."""
        now, earlier = self._clock(), self._earlier
        self._earlier = (now, requests)
        if not earlier or now <= earlier[0]:
            return 0.0
        return round((requests - earlier[1]) / (now - earlier[0]), 1)


def _processors():
    return os.sysconf('SC_NPROCESSORS_ONLN')
