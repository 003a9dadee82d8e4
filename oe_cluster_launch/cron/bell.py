# -*- coding: utf-8 -*-
"""The bell: agents look at once when the lead changes, instead of at their next cycle.

A pub/sub connection whose descriptor the agent's select waits on. Only a
hint: what a message says is never used, and a bell that is broken merely
makes the agent as slow as its renew interval.
"""
import logging

from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.store.connection import redis_errors_translated

_logger = logging.getLogger(__name__)


class Bell(object):
    """The agent's ear. Use it in one process only."""

    def __init__(self, store):
        self._store = store
        self._pubsub = None

    def listen(self):
        """Subscribe if we are not. Raises RedisUnavailable."""
        if self._pubsub is not None:
            return
        pubsub = self._store.client().pubsub()
        try:
            with redis_errors_translated(self._store.url):
                pubsub.subscribe(self._store.keys.cron_bell)
                pubsub.get_message(timeout=self._store.timeout_seconds)
        except RedisUnavailable:
            pubsub.close()
            raise
        self._pubsub = pubsub

    def fileno(self):
        """The descriptor to wait on, or None while we are not subscribed."""
        connection = self._pubsub and self._pubsub.connection
        if not connection or not connection._sock:
            return None
        return connection._sock.fileno()

    def drain(self):
        """Take off what has arrived. Drops a connection that is broken."""
        try:
            with redis_errors_translated(self._store.url):
                while self._pubsub is not None and self._pubsub.get_message(timeout=0):
                    pass
        except (RedisUnavailable, OSError) as error:
            _logger.debug("the bell broke, it is hung again at the next cycle: %s", error)
            self.close()

    def close(self):
        """Hang up."""
        if self._pubsub is not None:
            self._pubsub.close()
            self._pubsub = None
