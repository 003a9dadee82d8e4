# -*- coding: utf-8 -*-
"""What one node tells all nodes, itself included, to do now: to reload. Pub/sub and a counter.

Pub/sub wakes who listens. Who does not at that moment (its listener was
between two lives, Redis was away) finds out by the counter, which is moved in
the same transaction. A Redis that lost its data forgets what was not heard.
"""
import json
import logging

from oe_cluster_launch.compat import to_text
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.store.connection import redis_errors_translated

RELOAD = 'reload'

_logger = logging.getLogger(__name__)


def tell(store, event, origin):
    """Tell every node; returns how many processes have heard it. Raises RedisUnavailable."""
    message = json.dumps({'event': event, 'from': origin})
    pipeline = store.client().pipeline(transaction=True)
    pipeline.incr(store.keys.cluster_event_count)
    pipeline.publish(store.keys.cluster_events, message)
    return pipeline.execute()[1]


def count(store):
    """How many events there have been. Raises RedisUnavailable."""
    return int(store.client().get(store.keys.cluster_event_count) or 0)


class Listener(object):
    """One process's ear. Made and used in that process."""

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
                pubsub.subscribe(self._store.keys.cluster_events)
                pubsub.get_message(timeout=self._store.timeout_seconds)
        except RedisUnavailable:
            pubsub.close()
            raise
        self._pubsub = pubsub

    def descriptors(self):
        """What to wait on; empty while we are not subscribed."""
        connection = self._pubsub and self._pubsub.connection
        return [connection._sock.fileno()] if connection and connection._sock else []

    def heard(self):
        """(event, origin) of everything that has arrived. A broken connection is dropped."""
        events = []
        try:
            with redis_errors_translated(self._store.url):
                while self._pubsub is not None:
                    message = self._pubsub.get_message(timeout=0)
                    if message is None:
                        return events
                    if message['type'] == 'message':
                        events.append(_read(message['data']))
        except (RedisUnavailable, OSError) as error:
            _logger.debug("the connection to the other nodes broke: %s", error)
            self._pubsub.close()
            self._pubsub = None
        return [event for event in events if event]


def _read(data):
    try:
        message = json.loads(to_text(data))
        return message['event'], message['from']
    except (ValueError, KeyError, TypeError):
        return None
