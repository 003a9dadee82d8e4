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
    :ivar began: when its connection was taken, monotonic
    """

    def __init__(self):
        self.kind = 'other'
        self.status = None
        self.began = monotonic()
        self._round_trips = round_trips()

    def close(self, ended):
        """Count it.

        :param ended: when its connection was closed, monotonic
        """
        if self.status is None:
            return
        table.REQUESTS.count(self.kind, 'gone' if self.status == 'gone' else self.status[:1] + 'xx')
        table.REQUEST_SECONDS.observe(ended - self.began, self.kind)
        if self.kind not in _BEFORE_THE_HOST:
            table.REQUEST_REDIS_ROUND_TRIPS.observe(round_trips() - self._round_trips, self.kind)
