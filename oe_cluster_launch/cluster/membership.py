# -*- coding: utf-8 -*-
"""Each node's record in Redis: what it is, what it does, when it was last heard of.

A record expires by itself; a node that stops in order takes it away. Records
are for people and for the join check; nothing about who leads is decided from
them. All times are of the Redis server's clock, so nodes need not agree.
"""
import json
import os
import socket
import time

from oe_cluster_launch.cluster import mismatch
from oe_cluster_launch.compat import monotonic, native
from oe_cluster_launch.errors import EXIT_CONFIGURATION, LaunchError

#: a node that vanished is shown as lost for this long
FORGET_SECONDS = 600.0
#: how often a running node compares itself with the others
REFUSAL_CHECK_SECONDS = 60.0


class JoinRefused(LaunchError):
    """This node does not belong with the members that are there."""

    exit_code = EXIT_CONFIGURATION


class Membership(object):
    """This node's record, and the reading of all of them.

    :param profile: what does not change while the node runs: a dictionary with
        any of address, workers, version, host_version, addons, keys, databases,
        postgres, cron, priority (see `mismatch.py` for those that must agree)
    :param token: tells two runs of one node apart, and two nodes of one name
    """

    def __init__(self, store, settings, node, token, profile, clock=monotonic,
                 wall_clock=time.time):
        self._store = store
        self._keys = store.keys
        self._ttl_milliseconds = int(settings.member_ttl * 1000)
        self._warn_only = settings.join_mismatch == 'warn'
        self._clock = clock
        self._wall_clock = wall_clock
        self._node = node
        self._started_at = clock()
        self._checked_at = None
        self._refusal = None
        self._record = dict(profile, node=node, token=token, machine=socket.gethostname(), pid=os.getpid())

    def report(self, candidate_priority=None, **state):
        """Write our record. None for a priority: we are no candidate now.

        :returns: why this node must not lead, or None
        """
        record = dict(self._record, **state)
        record['uptime_seconds'] = int(self._clock() - self._started_at)
        record['clock'] = self._wall_clock()
        before = self._store.run(
            'member_report',
            [self._keys.member(self._node), self._keys.members_seen, self._keys.candidates],
            [self._node, json.dumps(record, sort_keys=True), self._ttl_milliseconds,
             '' if candidate_priority is None else candidate_priority, int(FORGET_SECONDS * 1000)])
        namesake = json.loads(native(before)) if before else {}
        if namesake and namesake['token'] != record['token'] and namesake['machine'] != record['machine']:
            return mismatch.NAMESAKE % (self._node, namesake['machine'])
        if self._checked_at is None or self._clock() - self._checked_at > REFUSAL_CHECK_SECONDS:
            self._refusal = self.refusal()
            self._checked_at = self._clock()
        return self._refusal

    def join(self):
        """Check, in the master before it serves, that we belong here.

        :raises JoinRefused: naming the other node, the difference and the remedy
        """
        reason = self.refusal()
        if reason:
            raise JoinRefused("This node must not join the cluster: %s." % reason)

    def refusal(self):
        """Why this node must not join, or None."""
        others = [member for member in self.members() if member['state'] != 'lost']
        return mismatch.refusal(self._record, others, self._warn_only)

    def leave(self):
        """Take our record away, unless a later run of this node has replaced it."""
        self._store.run('member_leave',
                        [self._keys.member(self._node), self._keys.members_seen, self._keys.candidates],
                        [self._node, self._record['token']])

    def members(self):
        """See the function of that name."""
        return members(self._store)


def members(store):
    """The records of all nodes by name, vanished ones as state `lost`.

    Each has `last_seen_seconds`: how long ago the node reported; and, when it told its
    own time, `clock_skew_seconds`: how far that was ahead of the Redis server's.
    """
    client = store.client()
    pipeline = client.pipeline()
    pipeline.zrange(store.keys.members_seen, 0, -1, withscores=True)
    pipeline.time()
    seen, (seconds, microseconds) = pipeline.execute()
    if not seen:
        return []
    now = seconds * 1000 + microseconds / 1000.0
    names = [native(name) for name, _ in seen]
    found = []
    for name, (_, reported), text in zip(names, seen, client.mget([store.keys.member(n) for n in names])):
        record = json.loads(native(text)) if text else {'node': name, 'state': 'lost'}
        if 'clock' in record:
            record['clock_skew_seconds'] = record['clock'] - reported / 1000.0
        record['last_seen_seconds'] = max(0.0, (now - reported) / 1000.0)
        found.append(record)
    return sorted(found, key=lambda record: record['node'])
