# -*- coding: utf-8 -*-
"""The lease against a real Redis, with a clock that the test turns."""
import pytest
from testbed.waiting import wait_until

from oe_cluster_launch.cron.control import Control
from oe_cluster_launch.cron.lease import Lease, faults, timeout_seconds
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store.connection import Store


class Clock(object):
    """A monotonic clock that stands still unless told otherwise."""

    def __init__(self):
        self.now = 1000.0
        self.at_reading = []

    def __call__(self):
        if self.at_reading:
            self.at_reading.pop(0)()
        return self.now


@pytest.fixture
def settings(redis_server):
    return load_settings().replace(redis_url=redis_server.url, cron_lease_ttl=1.0, cron_lease_margin=0.3,
                                   cron_renew_interval=0.2, cron_stop_timeout=0.2)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lease_of(settings, clock):
    def make(node, token=None, **changes):
        return Lease(Store(settings), settings.replace(**changes), node, token or 'token-' + node, clock)
    return make


def history(redis_server):
    return redis_server.ask('LRANGE', 'oe:lease-history:cron', '0', '-1')


def test_one_of_two_candidates_gets_it(lease_of):
    a, b = lease_of('a'), lease_of('b')
    assert a.acquire() == 0
    assert b.acquire() is None
    assert a.held and not b.held
    view = b.view()
    assert (view.leader, view.term) == ('a', 1)
    assert 0.5 < view.seconds_left <= 1.0
    assert a.is_own(view) and not b.is_own(view)


def test_a_lease_runs_out_and_the_next_term_is_higher(lease_of, redis_server):
    a, b = lease_of('a'), lease_of('b')
    a.acquire()
    wait_until(lambda: b.acquire() is not None, 3, "b took the lease")
    assert b.term == 2
    assert not a.renew()
    assert not a.held
    assert 'not renewed' in history(redis_server)


def test_a_predecessor_that_did_not_release_is_named(lease_of):
    a, b, c = lease_of('a'), lease_of('b'), lease_of('c')
    a.acquire()
    taken = []
    wait_until(lambda: taken.append(b.acquire()) or b.held, 3, "b took the lease")
    assert taken[-1] == 1
    b.release("done")
    assert c.acquire() == 0, "b released in order"


def test_a_predecessor_that_left_sessions_in_postgresql_is_named_once(lease_of, settings):
    """Its lease is free at once all the same, and its tenure is over in the history."""
    a, b, c = lease_of('a'), lease_of('b'), lease_of('c')
    a.acquire()
    assert a.release("cut off", unfinished=True)
    ended, = Control(Store(settings)).history()
    assert (ended['term'], ended['why']) == (1, "cut off")
    assert b.acquire() == 1
    assert b.renew()
    b.release("done")
    assert c.acquire() == 0


def test_renewing_keeps_it_beyond_its_ttl(lease_of):
    a, b = lease_of('a'), lease_of('b')
    a.acquire()
    kept = []

    def still_ours():
        assert a.renew()
        assert b.acquire() is None
        kept.append(b.view().seconds_left)
        return len(kept) > 60
    wait_until(still_ours, 10, "60 renewals")
    assert a.term == 1


def test_release_is_immediate_and_says_why(lease_of, redis_server):
    a, b = lease_of('a'), lease_of('b')
    a.acquire()
    assert a.release("maintenance")
    assert b.acquire() == 0
    assert '"why":"maintenance"' in history(redis_server)


def test_only_the_owner_renews_raises_and_releases(lease_of, redis_server):
    a, b = lease_of('a'), lease_of('b')
    for act in (lambda: a.renew(), lambda: a.raise_term(0), lambda: a.release("late")):
        a.acquire()
        redis_server.ask('DEL', 'oe:lease:cron')
        assert b.acquire() is not None
        before = redis_server.ask('GET', 'oe:lease:cron')
        assert not act()
        assert not a.held
        assert redis_server.ask('GET', 'oe:lease:cron') == before
        b.release("for the next round")


def test_the_holder_counts_from_before_the_request(lease_of, clock):
    """t0 clock read, t1 Redis grants the TTL, t2 = t0 + 0.5 the answer arrives."""
    a = lease_of('a')
    granted_late = []
    clock.at_reading = [lambda: None]
    a._store = Delayed(a._store, clock, 0.5, granted_late)
    a.acquire()
    assert granted_late
    assert a.seconds_left() == pytest.approx(1.0 - 0.3 - 0.5)
    a.renew()
    assert a.seconds_left() == pytest.approx(1.0 - 0.3 - 0.5)


class Delayed(object):
    """A store whose answers arrive late on the test's clock."""

    def __init__(self, store, clock, seconds, seen):
        self._store, self._clock, self._seconds, self._seen = store, clock, seconds, seen
        self.keys = store.keys

    def run(self, *arguments):
        answer = self._store.run(*arguments)
        self._clock.now += self._seconds
        self._seen.append(arguments[0])
        return answer


def test_the_holders_clock_runs_out_before_redis(lease_of, clock, redis_server):
    a = lease_of('a')
    a.acquire()
    clock.now += 0.71
    assert a.seconds_left() < 0
    assert int(redis_server.ask('PTTL', 'oe:lease:cron')) > 0


def test_an_agent_that_died_is_recovered_by_its_own_run_only(lease_of, redis_server):
    lease_of('a', 'run-1').acquire()
    assert lease_of('a', 'run-2').acquire(recover=True) is None, "another run of the same node"
    assert lease_of('a', 'run-').acquire(recover=True) is None, "a prefix of the token is not the token"
    again = lease_of('a', 'run-1')
    assert again.acquire() is None, "not without being asked to"
    assert again.acquire(recover=True) == 1
    assert again.term == 2
    assert 'recovered' in history(redis_server)


def test_terms_survive_a_flush_as_far_as_a_candidate_remembers(lease_of, redis_server):
    a, b = lease_of('a'), lease_of('b')
    for _ in range(4):
        a.acquire()
        a.release("next")
    newest = b.view().newest_term
    assert newest == 4
    redis_server.ask('FLUSHALL')
    b.acquire(floor=newest)
    assert b.term == 5


def test_a_term_is_raised_above_what_a_database_has_seen(lease_of, redis_server):
    a = lease_of('a')
    a.acquire()
    assert a.raise_term(57)
    assert a.term == 58
    assert a.renew(), "the new value is the one that is owned"
    assert a.raise_term(3)
    assert a.term == 59, "never back"
    assert redis_server.ask('GET', 'oe:term:cron') == '59'


def test_large_terms_stay_exact(lease_of):
    a = lease_of('a')
    a.acquire(floor=2 ** 40)
    assert a.term == 2 ** 40 + 1
    assert a.renew()
    assert a.view().term == 2 ** 40 + 1


def test_a_flush_takes_the_lease_away(lease_of, redis_server):
    a = lease_of('a')
    a.acquire()
    redis_server.ask('FLUSHALL')
    assert a.renew() is False
    assert not a.held


def test_not_asked_is_an_exception_not_an_answer(lease_of, redis_server, settings):
    a = lease_of('a')
    a._store = Store(settings, timeout_seconds=0.1)
    a.acquire()
    redis_server.pause()
    try:
        with pytest.raises(RedisUnavailable):
            a.renew()
        assert a.held, "nobody said that it is lost: only the clock can take it"
    finally:
        redis_server.resume()
    assert a.renew()


def test_the_operators_wishes_are_in_the_view(lease_of, redis_server):
    redis_server.ask('SET', 'oe:cron:pause', '{"by": "ann"}')
    redis_server.ask('SET', 'oe:cron:switchover', '{"from": "a", "to": "b"}', 'PX', '10000')
    view = lease_of('a').view()
    assert view.paused == {'by': 'ann'}
    assert (view.switchover.origin, view.switchover.to) == ('a', 'b')
    lease_of('b').acquire()
    assert lease_of('a').view().switchover is None, "done once somebody leads"


def test_rivals_are_live_candidates_of_higher_priority(lease_of, redis_server):
    now = int(redis_server.ask('TIME').split()[0]) * 1000
    for node, priority, seen in (('low', 50, now), ('high', 200, now), ('gone', 300, now - 60000)):
        redis_server.ask('ZADD', 'oe:candidates', priority, node)
        redis_server.ask('ZADD', 'oe:members-seen', seen, node)
    assert lease_of('a').view(100, 15).rivals == ('high',)
    assert lease_of('a').view(200, 15).rivals == ()


def test_the_shipped_times_fit_together():
    assert list(faults(load_settings())) == []
    assert timeout_seconds(load_settings()) < load_settings().cron_lease_margin


@pytest.mark.parametrize('wrong', [
    dict(cron_lease_ttl=7.0), dict(cron_renew_interval=6.0), dict(cron_stop_timeout=8.0),
    dict(member_ttl=6.0)])
def test_times_that_do_not_fit_are_faults(wrong):
    assert len(list(faults(load_settings().replace(**wrong)))) == 1
