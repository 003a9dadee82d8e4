# -*- coding: utf-8 -*-
"""What one node tells all nodes, itself included, to do now: to reload. Pub/sub and a counter.

Pub/sub wakes who listens. Who does not at that moment (its listener was
between two lives, Redis was away) finds out by the counter, which is moved in
the same transaction. A Redis that lost its data forgets what was not heard.
"""
import json

from oe_cluster_launch.compat import to_text
from oe_cluster_launch.store.subscription import Subscription

RELOAD = 'reload'


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


class Listener(Subscription):
    """One process's ear. Made and used in that process."""

    def __init__(self, store):
        super(Listener, self).__init__(store, store.keys.cluster_events)

    def descriptors(self):
        """What to wait on, as a list; empty while we are not subscribed."""
        return [self.fileno()] if self.fileno() is not None else []

    def heard(self):
        """(event, origin) of everything that has arrived and can be read."""
        return [event for event in map(_read, self.messages()) if event]


def _read(data):
    try:
        message = json.loads(to_text(data))
        return message['event'], message['from']
    except (ValueError, KeyError, TypeError):
        return None
