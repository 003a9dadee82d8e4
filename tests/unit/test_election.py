# -*- coding: utf-8 -*-
"""The decision as a table: facts in, action and sentence out."""
import pytest

from oe_cluster_launch.cron.election import (
    ABANDON,
    CAMPAIGN,
    FOLLOW,
    HOLD_ON,
    LEAD,
    RAISE_TERM,
    RECOVER,
    RELEASE,
    Facts,
    Switchover,
    decide,
)

LEADING = dict(node='a', holding=True, term=7, seconds_left=6.0, stop_seconds=2.0, leader='a')
FREE = dict(node='a')
DOWN = 'no answer'

TABLE = [
    # name, facts, action, part of the sentence
    # ------------------------------------------------------------ we lead
    ("a good lease is kept", LEADING, LEAD, "leading cron with term 7"),
    ("a lost lease is abandoned", dict(LEADING, lost=True), ABANDON, "not ours any more"),
    ("a lost lease is abandoned even when stopping", dict(LEADING, lost=True, stopping=True),
     ABANDON, "not ours"),
    ("Redis away, time left: go on", dict(LEADING, redis_error=DOWN), HOLD_ON, "while the lease lasts"),
    ("Redis away, time nearly over: stop", dict(LEADING, redis_error=DOWN, seconds_left=2.0),
     ABANDON, "runs out and could not be renewed (no answer)"),
    ("a lease about to expire is given up even when Redis answers",
     dict(LEADING, seconds_left=1.9), ABANDON, "no time left"),
    ("a lease that expired while we slept is given up",
     dict(LEADING, seconds_left=-20.0), ABANDON, "runs out"),
    ("stopping hands over", dict(LEADING, stopping=True), RELEASE, "this node stops: handing over term 7"),
    ("stopping without Redis stops",
     dict(LEADING, stopping=True, redis_error=DOWN), ABANDON, "without Redis"),
    ("draining hands over", dict(LEADING, draining=True), RELEASE, "drained"),
    ("cron = never hands over", dict(LEADING, mode='never'), RELEASE, "cron = never"),
    ("a refused node hands over", dict(LEADING, refused="another key"), RELEASE, "another key"),
    ("a pause ends the lead", dict(LEADING, paused='ann'), RELEASE, "paused by ann"),
    ("a pause that cannot be told to Redis stops cron", dict(LEADING, paused='ann', redis_error=DOWN),
     ABANDON, "Redis cannot be told"),
    ("a switchover to another node ends the lead", dict(LEADING, switchover=Switchover('a', 'b')),
     RELEASE, "switchover to b"),
    ("a switchover to anybody else ends the lead", dict(LEADING, switchover=Switchover('a', '')),
     RELEASE, "switchover to another node"),
    ("a switchover to ourselves changes nothing", dict(LEADING, switchover=Switchover('b', 'a')), LEAD, ""),
    ("a switchover away from a former leader changes nothing",
     dict(LEADING, switchover=Switchover('b', '')), LEAD, ""),
    ("no PostgreSQL here: leave it to others", dict(LEADING, database_silent=True), RELEASE, "PostgreSQL"),
    ("a database with a newer term: raise ours", dict(LEADING, newest_term=9), RAISE_TERM, "term 9"),
    ("a database with the same term of somebody else: raise ours", dict(LEADING, newest_term=7),
     RAISE_TERM, "term 7"),
    ("a higher priority elsewhere takes nothing away", dict(LEADING, rivals=('b',)), LEAD, ""),
    # ------------------------------------------------------------ somebody leads
    ("a leader is followed", dict(FREE, leader='b'), FOLLOW, "b leads"),
    ("a leader is followed by cron = never too", dict(FREE, leader='b', mode='never'), FOLLOW,
     "cron = never: b leads"),
    ("our own lease left behind is recovered",
     dict(FREE, leader='a', left_behind=True), RECOVER, "left behind"),
    ("left behind but paused: it may run out", dict(FREE, leader='a', left_behind=True, paused='ann'),
     FOLLOW, "paused by ann"),
    ("left behind but meant for another: it may run out",
     dict(FREE, leader='a', left_behind=True, switchover=Switchover("a", "b")), FOLLOW,
     "leaving the lead to b"),
    ("a namesake's lease is not ours", dict(FREE, leader='a', left_behind=False), FOLLOW, "a leads"),
    # ------------------------------------------------------------ nobody leads
    ("a free lead is campaigned for", FREE, CAMPAIGN, "nobody leads"),
    ("but not by cron = never", dict(FREE, mode='never'), FOLLOW, "cron = never: nobody leads"),
    ("nor by a node that stops", dict(FREE, stopping=True), FOLLOW, "stopping"),
    ("nor by a drained node", dict(FREE, draining=True), FOLLOW, "drained"),
    ("nor by a refused node", dict(FREE, refused="another key"), FOLLOW, "another key"),
    ("nor while Redis is away", dict(FREE, redis_error=DOWN), FOLLOW, "no cron here"),
    ("nor while cron is paused", dict(FREE, paused='ann'), FOLLOW, "paused by ann"),
    ("nor while cooling down", dict(FREE, cooling_down="no PostgreSQL"), FOLLOW, "no PostgreSQL"),
    ("higher priority goes first", dict(FREE, rivals=('b', 'c')), FOLLOW, "letting b, c go first"),
    ("but not for ever", dict(FREE, rivals=('b',), courtesy_over=True), CAMPAIGN, ""),
    ("a switchover to us beats priority", dict(FREE, rivals=('b',), switchover=Switchover('c', 'a')),
     CAMPAIGN, ""),
    ("a switchover to another is respected", dict(FREE, switchover=Switchover('c', 'b')), FOLLOW,
     "leaving the lead to b"),
    ("the old leader stands aside", dict(FREE, switchover=Switchover('a', '')), FOLLOW, "another node"),
    ("any other takes over from the old leader", dict(FREE, switchover=Switchover('b', '')), CAMPAIGN, ""),
]


@pytest.mark.parametrize('facts, action, part', [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_decision(facts, action, part):
    decision = decide(Facts(**facts))
    assert decision.action == action
    assert part in decision.sentence


def test_the_sentence_stays_while_the_situation_does():
    sentences = set(decide(Facts(**dict(LEADING, seconds_left=seconds))).sentence
                    for seconds in (6.0, 5.1, 4.0))
    assert len(sentences) == 1


def test_whoever_may_be_without_a_lease_never_goes_on():
    """No combination of wishes outweighs a lease that is lost or over."""
    for wish in (dict(paused='ann'), dict(stopping=True), dict(draining=True), dict(newest_term=99),
                 dict(switchover=Switchover('a', 'b')), dict(database_silent=True), {}):
        for end in (dict(lost=True), dict(seconds_left=0.5), dict(seconds_left=0.5, redis_error=DOWN)):
            assert decide(Facts(**dict(LEADING, **dict(wish, **end)))).action == ABANDON


def test_an_unknown_fact_is_refused():
    with pytest.raises(TypeError):
        Facts(colour='red')
