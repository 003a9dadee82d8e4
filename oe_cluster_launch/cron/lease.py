# -*- coding: utf-8 -*-
"""The mechanism: who holds the lease, under which term, and until when at the latest.

`False` or None means that the race was lost, `RedisUnavailable` that nobody
could be asked; a holder stops on both. The holder's clock is monotonic and is
read BEFORE each request, so its lease is over for itself before it is for
Redis, however late the answer comes:

    t0  holder reads its clock, sends "renew, 10 s"
    t1  Redis renews, to run out at t1 + 10
    t2  the answer arrives; the holder counts until t0 + 10 - margin

Redis promises no mutual exclusion: after a failover two nodes may hold it.
Terms and the fence in PostgreSQL make that harmless; this file only makes it rare.
"""
import collections
import json

from oe_cluster_launch.compat import monotonic, native
from oe_cluster_launch.cron.election import Switchover
from oe_cluster_launch.errors import Fault

#: entries kept in the history of leaders
HISTORY_LENGTH = 100

#: the lease in Redis and the operator's wishes, as one round trip reads them
View = collections.namedtuple('View', 'leader token term seconds_left newest_term paused switchover rivals')


def timeout_seconds(settings):
    """Longest wait for one answer: three attempts fit before a lease must be given up."""
    return min(settings.redis_timeout, settings.cron_lease_margin / 2)


def faults(settings):
    """The faults in the times of the lease, which only make sense together."""
    needed = (settings.cron_renew_interval + settings.cron_stop_timeout
              + settings.cron_lease_margin + timeout_seconds(settings))
    if settings.cron_lease_ttl <= needed:
        yield Fault('cron_lease_ttl', '%g' % settings.cron_lease_ttl,
                    "must be more than cron_renew_interval + cron_stop_timeout + cron_lease_margin "
                    "+ one answer of Redis, together %gs" % needed,
                    "Raise it, or lower the others")
    if settings.member_ttl <= 2 * settings.cron_renew_interval:
        yield Fault('member_ttl', '%g' % settings.member_ttl,
                    "must be more than twice cron_renew_interval (%gs)" % settings.cron_renew_interval,
                    "Raise it: a node that missed one report would be thought dead")


class Lease(object):
    """One node's handle on the lease. Use it in the process that made it.

    :param token: random, one per run of the node: an agent that replaces a dead
        one of the same run finds its lease again (`recover`)
    :ivar term: the term we hold, or 0
    """

    def __init__(self, store, settings, node, token, clock=monotonic):
        self._store = store
        self._keys = store.keys
        self._clock = clock
        self._node = node
        self._token = token
        self._ttl_milliseconds = int(settings.cron_lease_ttl * 1000)
        self._own_seconds = settings.cron_lease_ttl - settings.cron_lease_margin
        self._value = None
        self.term = 0
        self.expires_at = 0.0

    @property
    def held(self):
        """Whether we hold it as far as we know; `seconds_left` says for how long."""
        return self._value is not None

    def seconds_left(self):
        """Until we must act as if the lease were gone. Negative when it is."""
        return self.expires_at - self._clock()

    def acquire(self, floor=0, recover=False):
        """Take the lease if it is free, with a term above `floor` and all earlier ones.

        Atomic. With `recover`, also when it carries our own token.
        :returns: None when the race is lost, else the term of a predecessor
            that never released it, or left sessions behind (0 when there is none)
        """
        asked_at = self._clock()
        term, predecessor = self._store.run(
            'lease_acquire',
            [self._keys.lease(), self._keys.term(), self._keys.tenure(), self._keys.lease_history(),
             self._keys.cron_control('switchover')],
            [self._node, self._token, self._ttl_milliseconds, floor, int(recover), HISTORY_LENGTH,
             self._keys.cron_bell])
        if not term:
            return None
        self._hold(term, asked_at)
        return predecessor

    def renew(self):
        """Prolong it. False: it is not ours any more, and we have forgotten it."""
        asked_at = self._clock()
        if not self._store.run('lease_renew', [self._keys.lease(), self._keys.tenure()],
                               [self._value, self._ttl_milliseconds]):
            self.forget()
            return False
        self.expires_at = asked_at + self._own_seconds
        return True

    def raise_term(self, newest):
        """Exchange our term for one above `newest`. False: the lease is not ours any more."""
        asked_at = self._clock()
        term = self._store.run(
            'lease_raise', [self._keys.lease(), self._keys.term(), self._keys.tenure()],
            [self._value, self._token, self._node, newest, self._ttl_milliseconds])
        if not term:
            self.forget()
            return False
        self._hold(term, asked_at)
        return True

    def release(self, why, unfinished=False):
        """Give it up at once. False: it was not ours any more. Forgotten in any case.

        :param unfinished: sessions of this term may be left in PostgreSQL; whoever leads next
            is given the term as that of its predecessor, and ends them
        """
        value = self._value
        self.forget()
        return bool(self._store.run(
            'lease_release', [self._keys.lease(), self._keys.tenure(), self._keys.lease_history()],
            [value, why, HISTORY_LENGTH, self._keys.cron_bell, int(unfinished)]))

    def forget(self):
        """Act as if we had none. Redis keeps it until it runs out."""
        self._value = None
        self.expires_at = 0.0

    def view(self, priority=0, member_ttl_seconds=0):
        """What Redis says now: a :class:`View`."""
        answer = self._store.run(
            'lease_view',
            [self._keys.lease(), self._keys.term(), self._keys.cron_control('pause'),
             self._keys.cron_control('switchover'), self._keys.candidates, self._keys.members_seen],
            [priority, int(member_ttl_seconds * 1000)])
        token, term, leader = parse_value(answer[0])
        return View(leader, token, term, max(answer[1], 0) / 1000.0, answer[2],
                    _wish(answer[3]), _switchover(answer[4]), tuple(native(name) for name in answer[5:]))

    def is_own(self, view):
        """Whether the lease that Redis showed carries our token."""
        return view.token == self._token

    def _hold(self, term, asked_at):
        self.term = term
        self._value = '%s %d %s' % (self._token, term, self._node)
        self.expires_at = asked_at + self._own_seconds


def parse_value(value):
    """(token, term, node) of what the lease's key holds; (None, 0, None) of nothing."""
    if not value:
        return None, 0, None
    token, term, leader = native(value).split(' ', 2)
    return token, int(term), leader


def _wish(value):
    return json.loads(native(value)) if value else None


def _switchover(value):
    wish = _wish(value)
    return Switchover(wish['from'], wish['to']) if wish else None
