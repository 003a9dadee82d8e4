# -*- coding: utf-8 -*-
"""Cron agents against a real Redis: who works, what happens when something breaks.

Judged by what the workers left in the witness file, never by log lines.
"""
import os
import time

import pytest
from candidate import TTL, Candidate, Witness
from testbed import session
from testbed.waiting import wait_until

from oe_cluster_launch.compat import monotonic


@pytest.fixture
def witness(session_folder):
    return Witness(os.path.join(session.fresh_folder('witness'), 'lines'))


@pytest.fixture
def candidate(witness, redis_server):
    """A function that starts an agent: candidate('a')."""
    started = []

    def start(node, redis_url=None, **more):
        made = Candidate(session.fresh_folder('candidate-' + node), node, witness.path,
                         redis_url=redis_url or redis_server.url, **more)
        started.append(made)
        return made.start()
    yield start
    for made in started:
        made.kill_all()


@pytest.fixture
def pair(candidate, witness):
    """(leader, follower), with the leader at work."""
    return started_pair(candidate, witness)


@pytest.fixture
def slow_pair(candidate, witness):
    """The same with times that nobody can wait for: what is quick is so for another reason."""
    return started_pair(candidate, witness, cron_lease_ttl=12.0, cron_renew_interval=5.0)


def started_pair(candidate, witness, **settings):
    both = dict((name, candidate(name, **settings)) for name in ('a', 'b'))
    first = witness.wait_for(lambda line: line.node, 10, "somebody works")
    wait_until(lambda: len(witness.lines()) > 20, 5, "and goes on")
    leader = both.pop(first.node)
    return leader, both.popitem()[1]


def test_one_of_three_leads_and_only_its_workers_work(candidate, witness, redis_server):
    three = [candidate(name) for name in 'abc']
    wait_until(lambda: len(witness.lines()) > 200, 20, "the leader works")
    assert len(set(line.node for line in witness.lines())) == 1
    assert len(set(line.pid for line in witness.lines())) == 2, "both of its workers"
    assert sorted(len(each.children()) for each in three) == [0, 0, 2]
    assert witness.faults() == []


def test_an_orderly_stop_hands_over_within_a_second(slow_pair, witness):
    leader, follower = slow_pair
    asked_at = monotonic()
    leader.stop()
    taken = witness.wait_for(lambda line: line.node == follower.node, 5, "the follower works")
    first = witness.first_of_term(taken.term)
    assert first.at - asked_at < 1.0
    assert leader.exit_code() == 0
    assert witness.faults() == []


def test_a_killed_node_is_replaced_within_the_ttl_and_two_seconds(pair, witness):
    leader, follower = pair
    killed_at = monotonic()
    leader.kill_all()
    witness.wait_for(lambda line: line.node == follower.node, TTL + 5, "the follower works")
    assert witness.first_of_term(2).at - killed_at < TTL + 2
    assert witness.faults() == []


def test_a_stopped_leader_is_replaced_and_starts_nothing_when_it_wakes(pair, witness):
    leader, follower = pair
    leader.pause()
    witness.wait_for(lambda line: line.node == follower.node, TTL + 5, "the follower works")
    leader.resume()
    woken_at = monotonic()
    wait_until(lambda: monotonic() - woken_at > TTL, TTL + 2, "the sleeper had its chance")
    assert [line for line in witness.lines() if line.node == leader.node and line.at > woken_at] == []
    assert witness.faults() == []
    wait_until(lambda: not leader.children(), 3, "its workers are gone")


def test_workers_stopped_with_a_live_agent_start_nothing_late(pair, witness):
    """The agent is stopped alone: its workers see by themselves that the lease ran out."""
    leader, follower = pair
    leader.signal(19)  # SIGSTOP, to the agent only
    try:
        witness.wait_for(lambda line: line.node == follower.node, TTL + 5, "the follower works")
        wait_until(lambda: len(witness.lines()) > 300, 10, "and goes on")
        assert witness.faults() == []
    finally:
        leader.signal(18)


def test_a_dead_agent_is_replaced_by_its_own_node_at_once(slow_pair, candidate, witness):
    leader, follower = slow_pair
    killed_at = monotonic()
    leader.kill_master()
    candidate(leader.node, token=leader.token, cron_lease_ttl=12.0)
    witness.wait_for(lambda line: line.term == 2, 5, "somebody leads again")
    assert witness.first_of_term(2).at - killed_at < 2.0
    assert witness.first_of_term(2).node == leader.node
    assert witness.faults() == []


def test_workers_do_not_outlive_their_agent(pair):
    leader, _ = pair
    pids = leader.children()
    assert pids
    leader.kill_master()
    wait_until(lambda: not [pid for pid in pids if os.path.exists('/proc/%d' % pid)], 2, "they are gone")


def test_a_leader_without_redis_stops_before_its_lease_ends(pair, witness, redis_server):
    leader, follower = pair
    redis_server.pause()
    paused_at = monotonic()
    try:
        wait_until(lambda: not leader.children() and not follower.children(), TTL + 1, "nobody works")
        stopped_at = witness.last().at
        assert stopped_at - paused_at < TTL
        time.sleep(0.5)
        assert witness.last().at == stopped_at
    finally:
        redis_server.resume()
    witness.wait_for(lambda line: line.at > stopped_at, TTL + 3, "one leads again")
    assert witness.faults() == []


def test_a_short_pause_of_redis_costs_nothing(pair, witness, redis_server):
    leader, _ = pair
    redis_server.pause()
    time.sleep(0.4)
    redis_server.resume()
    wait_until(lambda: len(witness.lines()) > 400, 20, "work goes on")
    assert set(line.term for line in witness.lines()) == {1}


def test_terms_grow_over_a_flush(pair, witness, redis_server):
    redis_server.ask('FLUSHALL')
    witness.wait_for(lambda line: line.term >= 2, 5, "a later term")
    assert witness.faults(forgotten_seconds=TTL) == []


def test_terms_grow_over_a_restart_without_data(pair, witness, redis_server):
    redis_server.lose_data()
    redis_server.start()
    witness.wait_for(lambda line: line.term >= 2, TTL + 5, "a later term")
    assert witness.faults(forgotten_seconds=TTL) == []


def test_a_restart_with_data_keeps_one_leader(witness, candidate, redis_server_of):
    server = redis_server_of(persistent=True)
    for name in 'ab':
        candidate(name, redis_url=server.url)
    witness.wait_for(lambda line: line.node, 10, "somebody works")
    server.kill_all()
    server.start()
    before = len(witness.lines())
    wait_until(lambda: len(witness.lines()) > before + 50, TTL + 5, "work goes on")
    assert witness.faults() == []


def test_a_failover_that_loses_the_lease_still_gives_growing_terms(witness, candidate, sentinel_trio):
    """The replica never hears of the lease: it is cut off before, as a lagging replica would be."""
    sentinels = tuple(('127.0.0.1', sentinel.port) for sentinel in sentinel_trio.sentinels)
    for name in 'ab':
        candidate(name, redis_sentinels=sentinels, redis_sentinel_master='oe', redis_timeout=0.3)
    witness.wait_for(lambda line: line.node, 10, "somebody works")
    sentinel_trio.master.kill_all()
    before = monotonic()
    wait_until(lambda: sentinel_trio.master_port() == sentinel_trio.replica.port, 20, "the replica is master")
    sentinel_trio.replica.ask('DEL', 'oe:lease:cron', 'oe:term:cron')
    witness.wait_for(lambda line: line.at > before and line.term >= 2, 20, "a later term works")
    assert witness.faults(forgotten_seconds=TTL) == []


def test_a_worker_that_dies_is_replaced(pair, witness):
    leader, _ = pair
    victim = leader.children()[0]
    os.kill(victim, 9)
    wait_until(lambda: len(leader.children()) == 2 and victim not in leader.children(), 3, "a new worker")
    assert set(line.term for line in witness.lines()) == {1}


def test_priority_decides_who_goes_first(candidate, witness):
    first = candidate('plain', cron_priority=100)
    witness.wait_for(lambda line: line.node == 'plain', 5, "the first one leads")
    candidate('low', cron_priority=10)
    candidate('high', cron_priority=200)
    time.sleep(1.5)  # both have reported
    assert witness.last().node == 'plain', "priority takes nothing away"
    asked_at = monotonic()
    first.stop()
    taken = witness.wait_for(lambda line: line.node != 'plain', 5, "the next one leads")
    assert taken.node == 'high'
    assert witness.first_of_term(2).at - asked_at < 1.0


def test_a_node_with_cron_never_leads_nothing(candidate, witness):
    candidate('a', cron='never')
    time.sleep(1.5)
    assert witness.lines() == []


def test_pause_ends_the_lead_and_resume_brings_it_back(pair, witness, redis_server):
    leader, follower = pair
    redis_server.ask('SET', 'oe:cron:pause', '{"by": "ann"}')
    redis_server.ask('PUBLISH', 'oe:cron:bell', 'look')
    wait_until(lambda: not leader.children() and not follower.children(), 1.5, "nobody works")
    stopped = len(witness.lines())
    time.sleep(1.0)
    assert len(witness.lines()) == stopped
    redis_server.ask('DEL', 'oe:cron:pause')
    redis_server.ask('PUBLISH', 'oe:cron:bell', 'look')
    wait_until(lambda: len(witness.lines()) > stopped, 1.5, "work goes on at once")
    assert witness.faults() == []


def test_a_switchover_reaches_its_target(pair, witness, redis_server):
    leader, follower = pair
    redis_server.ask('SET', 'oe:cron:switchover',
                     '{"from": "%s", "to": "%s"}' % (leader.node, follower.node), 'PX', '10000')
    redis_server.ask('PUBLISH', 'oe:cron:bell', 'look')
    witness.wait_for(lambda line: line.node == follower.node, 2, "the target leads")
    assert witness.faults() == []


def test_a_drained_node_hands_over_and_stays_a_member(pair, witness, redis_server):
    leader, follower = pair
    leader.signal(10)  # SIGUSR1
    witness.wait_for(lambda line: line.node == follower.node, 2, "the other leads")
    wait_until(lambda: '"draining"' in redis_server.ask('GET', 'oe:member:' + leader.node), 2, "it says so")


def test_an_agent_that_stops_signs_off(pair, redis_server):
    leader, _ = pair
    wait_until(lambda: redis_server.ask('EXISTS', 'oe:member:' + leader.node) == '1', 3, "a member")
    leader.stop()
    assert redis_server.ask('EXISTS', 'oe:member:' + leader.node) == '0'
    assert redis_server.ask('ZSCORE', 'oe:candidates', leader.node) == ''


def test_a_broken_bell_only_costs_time(pair, witness, redis_server):
    leader, follower = pair
    redis_server.ask('CLIENT', 'KILL', 'TYPE', 'pubsub')
    leader.stop()
    witness.wait_for(lambda line: line.node == follower.node, 3, "the follower finds out by itself")
    assert witness.faults() == []


def test_a_leader_that_cannot_reach_postgresql_leaves_the_lead_to_another(pair, witness):
    leader, follower = pair
    with open('%s.cut-%s' % (witness.path, leader.node), 'w'):
        cut_at = monotonic()
    witness.wait_for(lambda line: line.node == follower.node, TTL + 2, "the other leads")
    assert witness.first_of_term(2).at - cut_at < TTL
    assert witness.faults() == []


def test_a_postgresql_that_nobody_reaches_is_waited_for(pair, witness):
    """The lead goes round, slowly, and work goes on when PostgreSQL is back."""
    for node in pair:
        with open('%s.cut-%s' % (witness.path, node.node), 'w'):
            pass
    time.sleep(2 * TTL)
    stopped = len(witness.lines())
    assert witness.last().term == 1
    for node in pair:
        os.unlink('%s.cut-%s' % (witness.path, node.node))
    wait_until(lambda: len(witness.lines()) > stopped, TTL + 2, "work goes on")
    assert witness.faults() == []


def test_a_database_that_remembers_more_than_redis_raises_the_term(candidate, witness):
    """The whole cluster restarted and Redis lost its data: only PostgreSQL knows that 41 was reached."""
    candidate('a', newest_known=41)
    wait_until(lambda: len(witness.lines()) > 20, 10, "work goes on")
    assert set(line.term for line in witness.lines()) == {42}
