# -*- coding: utf-8 -*-
"""The decision: from what a node has read, what it does next, and why.

`decide` is pure: no clock, no Redis, no process. Every fact was read before,
by the agent, and every action is the agent's to carry out. The sentence is
what the log says when it changes and what `list` shows; it therefore holds
no figure that moves while the situation stays the same.
The rule of precedence: whoever is not sure to hold the lease, holds nothing.
"""
import collections

LEAD = 'lead'              #: we lead and the lease is good: keep cron workers running
HOLD_ON = 'hold on'        #: we lead and cannot ask: workers go on while the lease lasts
RAISE_TERM = 'raise term'  #: we lead, but a database has seen a later term than ours
RELEASE = 'release'        #: give the lead up: no new job, running ones finish, lease deleted
ABANDON = 'abandon'        #: the lead is gone, or nearly: stop workers, by force if need be
CAMPAIGN = 'campaign'      #: the lead is free: try to take it
RECOVER = 'recover'        #: the lease in Redis is ours, left behind when an agent died or an answer was lost
FOLLOW = 'follow'          #: not ours to take: look again later

Decision = collections.namedtuple('Decision', 'action sentence')
#: a wish of the operator: `to` is a node's name, or '' for any but `origin`
Switchover = collections.namedtuple('Switchover', 'origin to')


class Facts(object):
    """All that a decision may depend on, as read in one cycle.

    :ivar node: our name
    :ivar mode: the setting `cron`: auto or never
    :ivar refused: why this node must not lead, or None
    :ivar stopping: this process was told to end
    :ivar draining: this node takes no new work
    :ivar redis_error: why Redis could not be asked, or None
    :ivar holding: we hold a lease as far as we know
    :ivar term: its term
    :ivar lost: Redis said that our lease is not ours
    :ivar seconds_left: until we must count our lease as over
    :ivar stop_seconds: what stopping the workers may take
    :ivar newest_term: the newest term that a database has seen, or 0
    :ivar database_silent: our workers cannot reach PostgreSQL
    :ivar leader: name of the node that holds the lease in Redis, or None
    :ivar left_behind: the lease in Redis carries the token of this node run, yet we hold none
    :ivar paused: who paused cron for the whole cluster, or None
    :ivar switchover: a :class:`Switchover`, or None
    :ivar rivals: names of live candidates with a higher cron_priority
    :ivar courtesy_over: we have waited long enough for them
    :ivar cooling_down: why we do not campaign for a while, or None
    """

    defaults = dict(
        node='', mode='auto', refused=None, stopping=False, draining=False, redis_error=None,
        holding=False, term=0, lost=False, seconds_left=0.0, stop_seconds=0.0, newest_term=0,
        database_silent=False, leader=None, left_behind=False, paused=None, switchover=None,
        rivals=(), courtesy_over=False, cooling_down=None)

    def __init__(self, **facts):
        unknown = set(facts) - set(self.defaults)
        if unknown:
            raise TypeError("no such fact: %s" % ', '.join(sorted(unknown)))
        self.__dict__.update(self.defaults)
        self.__dict__.update(facts)


def decide(facts):
    """What to do now: a :class:`Decision`."""
    return _as_leader(facts) if facts.holding else _as_follower(facts)


def _as_leader(facts):
    if facts.lost:
        return Decision(ABANDON, "the lease of term %d is not ours any more: cron stops" % facts.term)
    if facts.seconds_left <= facts.stop_seconds:
        return Decision(ABANDON, "the lease of term %d runs out and could not be renewed (%s): cron stops"
                        % (facts.term, facts.redis_error or "no time left"))
    reason = _reason_to_resign(facts)
    if facts.redis_error:
        if facts.stopping:
            return Decision(ABANDON, "stopping without Redis: cron stops, the lease runs out by itself")
        if reason:
            return Decision(ABANDON, "%s, and Redis cannot be told: cron stops" % reason)
        return Decision(HOLD_ON, "Redis does not answer (%s): cron goes on while the lease lasts"
                        % facts.redis_error)
    if reason:
        return Decision(RELEASE, "%s: handing over term %d" % (reason, facts.term))
    if facts.newest_term >= facts.term:
        return Decision(RAISE_TERM, "a database has seen term %d, ours is %d: raising it"
                        % (facts.newest_term, facts.term))
    return Decision(LEAD, "leading cron with term %d" % facts.term)


def _reason_to_resign(facts):
    """Why a leader whose lease is good gives it up all the same, or None."""
    if facts.stopping:
        return "this node stops"
    if facts.draining:
        return "this node is drained"
    if facts.mode == 'never':
        return "this node has cron = never"
    if facts.refused:
        return facts.refused
    if facts.paused:
        return "cron is paused by %s" % facts.paused
    if facts.switchover and _meant_for_others(facts):
        return "switchover to %s" % (facts.switchover.to or "another node")
    if facts.database_silent:
        return "PostgreSQL cannot be reached from here"
    return None


def _as_follower(facts):
    if facts.stopping:
        return Decision(FOLLOW, "stopping")
    if facts.redis_error:
        return Decision(FOLLOW, "Redis does not answer (%s): no cron here" % facts.redis_error)
    if facts.mode == 'never':
        return Decision(FOLLOW, "cron = never: %s" % _who_leads(facts))
    if facts.refused:
        return Decision(FOLLOW, "must not run cron: %s" % facts.refused)
    if facts.draining:
        return Decision(FOLLOW, "drained: %s" % _who_leads(facts))
    if facts.paused:
        return Decision(FOLLOW, "cron is paused by %s" % facts.paused)
    if facts.leader and not facts.left_behind:
        return Decision(FOLLOW, _who_leads(facts))
    return _with_a_free_lead(facts)


def _with_a_free_lead(facts):
    if facts.cooling_down:
        return Decision(FOLLOW, "not campaigning: %s" % facts.cooling_down)
    if facts.switchover and _meant_for_others(facts):
        return Decision(FOLLOW, "leaving the lead to %s" % (facts.switchover.to or "another node"))
    if facts.left_behind:
        return Decision(RECOVER, "this node's lease was left behind: taking it over under a new term")
    if facts.rivals and not facts.courtesy_over and not _meant_for_us(facts):
        return Decision(FOLLOW, "letting %s go first" % ', '.join(facts.rivals))
    return Decision(CAMPAIGN, "nobody leads: campaigning")


def _meant_for_us(facts):
    return bool(facts.switchover) and facts.switchover.to == facts.node


def _meant_for_others(facts):
    wish = facts.switchover
    return wish.to != facts.node if wish.to else wish.origin == facts.node


def _who_leads(facts):
    return "%s leads" % facts.leader if facts.leader else "nobody leads"
