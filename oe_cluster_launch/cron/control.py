# -*- coding: utf-8 -*-
"""What an operator may ask of all cron agents: pause, resume, hand over; and who led when.

Only wishes are written here; each agent reads them in its next cycle, which
the bell starts at once. A pause has no TTL unless one is asked for: cron must
not come back by itself in the middle of a maintenance.
"""
import json
import time

from oe_cluster_launch.compat import native
from oe_cluster_launch.cron.lease import parse_value

#: a switchover that nobody has followed by then is forgotten
SWITCHOVER_SECONDS = 30.0


class Control(object):
    """The operator's hand on cron."""

    def __init__(self, store):
        self._store = store
        self._keys = store.keys

    def leader(self):
        """(node, term) of the present leader, (None, 0) when there is none."""
        _, term, node = parse_value(self._store.client().get(self._keys.lease()))
        return node, term

    def paused(self):
        """The pause that holds: a dictionary with by, reason and at (epoch seconds), or None."""
        text = self._store.client().get(self._keys.cron_control('pause'))
        return json.loads(native(text)) if text else None

    def pause(self, by, reason='', seconds=None):
        """No node runs cron from now on, until `resume` or for that long."""
        wish = json.dumps({'by': by, 'reason': reason, 'at': int(time.time())}, sort_keys=True)
        self._write('pause', wish, seconds)

    def resume(self):
        """End the pause. False: there was none."""
        removed = self._store.client().delete(self._keys.cron_control('pause'))
        self._ring()
        return bool(removed)

    def ask_for_switchover(self, leader, to=''):
        """The leader should hand over, to that node or to any other."""
        self._write('switchover', json.dumps({'from': leader, 'to': to}), SWITCHOVER_SECONDS)

    def withdraw_switchover(self):
        """Nobody has followed: stop asking."""
        self._store.client().delete(self._keys.cron_control('switchover'))

    def history(self):
        """Who led when, newest first; the first one has no `until_ms` while it lasts."""
        pipeline = self._store.client().pipeline()
        pipeline.hgetall(self._keys.tenure())
        pipeline.lrange(self._keys.lease_history(), 0, -1)
        pipeline.exists(self._keys.lease())
        tenure, ended, held = pipeline.execute()
        rows = [_numbers(json.loads(native(text))) for text in ended]
        present = dict((native(name), native(value)) for name, value in tenure.items())
        if 'term' in present:
            row = {'term': present['term'], 'node': present['node'], 'since_ms': present['since_ms']}
            if not held:
                row['until_ms'] = int(present['renewed_ms']) + int(present['ttl_ms'])
                row['why'] = 'not renewed: the lease ran out'
            rows.insert(0, _numbers(row))
        return rows

    def _write(self, name, wish, seconds):
        options = {} if seconds is None else {'px': int(seconds * 1000)}
        self._store.client().set(self._keys.cron_control(name), wish, **options)
        self._ring()

    def _ring(self):
        self._store.client().publish(self._keys.cron_bell, 'look')


def _numbers(row):
    for name in ('term', 'since_ms', 'until_ms'):
        if name in row:
            row[name] = int(row[name])
    return row
