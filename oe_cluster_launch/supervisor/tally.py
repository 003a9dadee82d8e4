# -*- coding: utf-8 -*-
"""What one request leaves in the metrics: its kind, status, time and round trips. In an HTTP worker."""
from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.metrics import table
from oe_cluster_launch.store.measured import round_trips

#: of these there is nothing to say about Redis
_BEFORE_THE_HOST = ('refused', 'cluster')


class Tally(object):
    """One connection. Counted when it is closed, unless nothing was asked on it.

    :ivar status: as the answer says it, '200 OK'; None when there was no request
    """

    def __init__(self):
        self.kind = 'other'
        self.status = None
        self._began = monotonic()
        self._round_trips = round_trips()

    @property
    def seconds(self):
        """Since its connection was taken."""
        return monotonic() - self._began

    def close(self):
        """Count it."""
        if self.status is None:
            return
        table.REQUESTS.count(self.kind, 'gone' if self.status == 'gone' else self.status[:1] + 'xx')
        table.REQUEST_SECONDS.observe(self.seconds, self.kind)
        if self.kind not in _BEFORE_THE_HOST:
            table.REQUEST_REDIS_ROUND_TRIPS.observe(round_trips() - self._round_trips, self.kind)
