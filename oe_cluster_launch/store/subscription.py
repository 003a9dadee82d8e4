# -*- coding: utf-8 -*-
"""One pub/sub channel of Redis, as a descriptor to wait on and the messages that have come.

What Redis publishes reaches only who listens at that moment, and a broken
connection loses what came meanwhile: use it to be woken, never for truth.
"""
import logging

from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.store.connection import redis_errors_translated

_logger = logging.getLogger(__name__)


class Subscription(object):
    """One process's ear on one channel. Made and used in that process."""

    def __init__(self, store, channel):
        self._store = store
        self._channel = channel
        self._pubsub = None

    def listen(self):
        """Subscribe if we are not. Raises RedisUnavailable."""
        if self._pubsub is not None:
            return
        pubsub = self._store.client().pubsub()
        try:
            with redis_errors_translated(self._store.url):
                pubsub.subscribe(self._channel)
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

    def messages(self):
        """The data of all messages that have arrived. Drops a connection that is broken."""
        found = []
        try:
            with redis_errors_translated(self._store.url):
                while self._pubsub is not None:
                    message = self._pubsub.get_message(timeout=0)
                    if message is None:
                        break
                    if message['type'] == 'message':
                        found.append(message['data'])
        except (RedisUnavailable, OSError) as error:
            _logger.debug("channel %s broke, it is subscribed again: %s", self._channel, error)
            self.close()
        return found

    def close(self):
        """Hang up."""
        if self._pubsub is not None:
            self._pubsub.close()
            self._pubsub = None
