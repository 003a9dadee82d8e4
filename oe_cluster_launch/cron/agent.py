# -*- coding: utf-8 -*-
"""The effect: a process that campaigns, and keeps cron workers only while it leads.

Every cycle reads facts, has `election.decide` decide, and carries that out.
Cycles come with the renew interval, with signals, and when the bell rings.
Whatever happens to this process, the workers end before the lease does: a
timer kills them at that moment even while a call to Redis hangs, and the
kernel kills them when this process dies.

Wiring (see `supervisor/cron_agent.py`): the supervisor forks, makes an Agent in the
child with clients of its own and calls `run()`, which returns when the node
stops. SIGTERM: hand over at once, let running jobs finish, return. SIGUSR1:
the same, but stay as a drained member. SIGQUIT keeps the handler it has.
`heartbeat()` is called in every cycle, that is at least every renew interval
plus a few answers of Redis; a watchdog should allow ten times that.
"""
import logging
import random

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron import election
from oe_cluster_launch.cron.duty import Duty
from oe_cluster_launch.cron.wakeups import Wakeups
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.metrics import table

#: how long a free lead is left to candidates of higher priority
COURTESY_SECONDS = 0.4
#: pause after a Redis that did not answer
RETRY_SECONDS = 0.5
#: candidates look this long after a lease should have run out, at most
JITTER_SECONDS = 0.1

_logger = logging.getLogger(__name__)


class Agent(object):
    """The cron agent of one node. Made and used in one process.

    :param lease: a :class:`Lease` of this process
    :param crew: a :class:`Crew`
    :param bell: a Subscription to `keys.cron_bell`, or None to find out by polling alone
    :param membership: has `report(**state)`, `refusal()` and `leave()`; told our state
    :param heartbeat: called in every cycle, for a watchdog
    :param figures: a function: what else to report of this node, as a dictionary
    """

    def __init__(self, settings, node, lease, crew, bell, membership,
                 heartbeat=lambda: None, set_title=lambda role, state: None, figures=dict,
                 clock=monotonic):
        self._settings = settings
        self._node = node
        self._lease = lease
        self._crew = crew
        self._bell = bell
        self._membership = membership
        self._heartbeat = heartbeat
        self._set_title = set_title
        self._figures = figures
        self._clock = clock
        self._wakeups = Wakeups(bell)
        self._duty = None
        self._view = None
        self._redis_error = None
        self._refused = None
        self._sentence = None
        self._newest_term = 0
        self._renewed_at = self._reported_at = self._free_since = None
        self._cooling = (0.0, None)
        self._look_again = False

    def run(self):
        """Until SIGTERM. In a forked child; installs its own signal handlers."""
        self._wakeups.take_signals(on_lease_over=self._crew.kill)
        try:
            self._refused = self._ask_for_refusal()
            while not (self._wakeups.stopping and not self._lease.held and not len(self._crew)):
                self.cycle()
                self._wakeups.wait(self._seconds_to_next_cycle())
        finally:
            self._crew.kill()
        self._leave()

    def cycle(self):
        """Read, decide, act, report: once."""
        self._look_again = False
        self._crew.tend()
        lost = self._ask_redis()
        self._facts = self._collect(lost)
        decision = election.decide(self._facts)
        if decision.sentence != self._sentence:
            self._sentence = decision.sentence
            _logger.info("%s", decision.sentence)
            self._reported_at = None
        try:
            self._effects[decision.action](self, decision)
        except RedisUnavailable as error:
            self._redis_error = str(error)
            _logger.warning("could not %s: %s", decision.action, error)
        if self._wakeups.stopping:
            self._crew.dismiss(self._settings.graceful_timeout)
        self._measure()
        self._report()
        self._heartbeat()

    # ------------------------------------------------------------ reading

    def _ask_redis(self):
        """Renew if it is time, and look at the lease. Returns whether we lost it."""
        self._redis_error = None
        try:
            if self._lease.held and self._lease.seconds_left() > 0 and self._is_time_to_renew():
                if not self._lease.renew():
                    return True
                self._renewed()
            self._view = self._lease.view(self._settings.cron_priority, self._settings.member_ttl)
            self._newest_term = max(self._newest_term, self._view.newest_term)
            self._listen_to_the_bell()
        except RedisUnavailable as error:
            self._redis_error = str(error)
        return False

    def _listen_to_the_bell(self):
        """Without it (an ACL may forbid channels) everything works, only later."""
        try:
            if self._bell:
                self._bell.listen()
        except RedisUnavailable as error:
            _logger.debug("no bell: %s", error)

    def _ask_for_refusal(self):
        try:
            return self._membership.refusal()
        except RedisUnavailable:
            return None  # asked again with each report

    def _is_time_to_renew(self):
        return self._clock() - self._renewed_at >= self._settings.cron_renew_interval

    def _collect(self, lost):
        view, settings = self._view, self._settings
        holding = self._lease.held or lost
        free = bool(view) and not view.leader
        self._free_since = (self._free_since or self._clock()) if free else None
        return election.Facts(
            node=self._node, mode=settings.cron, refused=self._refused,
            stopping=self._wakeups.stopping, draining=self._wakeups.draining, redis_error=self._redis_error,
            holding=holding, term=self._lease.term, lost=lost,
            seconds_left=self._lease.seconds_left(), stop_seconds=settings.cron_stop_timeout,
            newest_term=self._duty.newest_term if self._duty else 0,
            database_silent=self._crew.database_silence_seconds() > settings.cron_lease_ttl / 2,
            leader=view.leader if view else None,
            left_behind=bool(view) and not holding and self._lease.is_own(view),
            paused=view.paused.get('by', 'somebody') if view and view.paused else None,
            switchover=view.switchover if view else None,
            rivals=view.rivals if view else (),
            courtesy_over=free and self._clock() - self._free_since >= COURTESY_SECONDS,
            cooling_down=self._cooling[1] if self._clock() < self._cooling[0] else None)

    # ------------------------------------------------------------ acting

    def _go_on(self, decision):
        """Nothing changes."""

    def _campaign(self, decision):
        recover = decision.action == election.RECOVER
        predecessor = self._lease.acquire(self._newest_term, recover)
        self._look_again = True
        if predecessor is None:
            _logger.debug("lost the race")
            return
        table.CRON_LEADS_TAKEN.count('recovery' if recover else 'failover' if predecessor else 'election')
        _logger.info("took the lead with term %d", self._lease.term)
        self._begin_duty(predecessor)

    def _raise_term(self, decision):
        """New workers, because sessions in PostgreSQL bear the term they were opened under."""
        if self._lease.raise_term(self._duty.newest_term):
            self._crew.dismiss()
            table.CRON_LEADS_TAKEN.count('raised')
            self._begin_duty()
        else:
            self._abandon(decision)
        self._look_again = True

    def _begin_duty(self, predecessor=0):
        self._duty = Duty(self._node, self._lease.term, predecessor, self._clock)
        self._renewed()
        self._crew.start(self._duty)

    def _release(self, decision):
        """Running jobs may finish: their row locks keep the next leader off them.

        Not so where PostgreSQL cannot be reached: such a worker can neither
        finish nor learn that it should, and PostgreSQL does not learn of its
        death: the next leader ends its sessions there, and frees their rows.
        """
        silent = self._facts.database_silent
        table.CRON_LEADS_ENDED.count('released')
        self._crew.dismiss(self._settings.cron_stop_timeout if silent else None)
        self._wakeups.disarm()
        if silent:
            self._cooling = (self._clock() + self._settings.cron_lease_ttl,
                             "PostgreSQL could not be reached from here")
        self._duty = None
        self._look_again = True
        self._lease.release(decision.sentence, unfinished=silent)

    def _abandon(self, decision):
        """The timer stays armed: whoever does not end by itself is killed with the lease."""
        table.CRON_LEADS_ENDED.count('abandoned')
        seconds = self._settings.cron_stop_timeout
        self._crew.dismiss(seconds if self._facts.lost else
                           max(0.0, min(seconds, self._lease.seconds_left())))
        self._duty = None
        self._lease.forget()
        self._look_again = self._redis_error is None

    _effects = {
        election.LEAD: _go_on, election.HOLD_ON: _go_on, election.FOLLOW: _go_on,
        election.CAMPAIGN: _campaign, election.RECOVER: _campaign, election.RAISE_TERM: _raise_term,
        election.RELEASE: _release, election.ABANDON: _abandon,
    }

    def _renewed(self):
        """The lease lasts longer: tell the workers and wind up the timer.

        Our own term is remembered too: a failover may make Redis forget it before we look.
        """
        self._newest_term = max(self._newest_term, self._lease.term)
        self._renewed_at = self._clock()
        self._duty.extend(self._lease.expires_at)
        self._wakeups.arm(self._lease.seconds_left())

    # ------------------------------------------------------------ telling

    def _measure(self):
        table.LEASE_UNTIL.set(self._lease.expires_at if self._lease.held else 0)
        table.CRON_TERM.set(self._newest_term)
        table.MEMBER_REFUSED.set(int(bool(self._refused)))

    def _report(self):
        """Membership: with the renew interval, and at once when something changed."""
        if self._redis_error or not self._is_time_to_report():
            return
        role = 'leader' if self._lease.held else 'never' if self._settings.cron == 'never' else 'candidate'
        may_lead = role != 'never' and not (self._wakeups.stopping or self._wakeups.draining or self._refused
                                            or self._clock() < self._cooling[0])
        self._set_title('cron agent', '%s, term %d' % (role, self._lease.term) if self._lease.held else role)
        try:
            self._refused = self._membership.report(
                role=role, state=self._state(), reason=self._sentence,
                term=self._lease.term if self._lease.held else 0,
                cron_workers=self._crew.size if self._lease.held else 0, jobs_running=self._crew.working,
                candidate_priority=self._settings.cron_priority if may_lead else None, **self._figures())
            self._reported_at = self._clock()
        except RedisUnavailable as error:
            _logger.debug("membership was not reported: %s", error)

    def _is_time_to_report(self):
        interval = self._settings.cron_renew_interval * 0.9
        return self._reported_at is None or self._clock() - self._reported_at >= interval

    def _state(self):
        return 'stopping' if self._wakeups.stopping else 'draining' if self._wakeups.draining else 'running'

    def _leave(self):
        self._wakeups.disarm()
        try:
            self._membership.leave()
        except RedisUnavailable as error:
            _logger.info("could not sign off, the record runs out by itself: %s", error)
        if self._bell:
            self._bell.close()

    # ------------------------------------------------------------ waiting

    def _seconds_to_next_cycle(self):
        if self._look_again:
            return 0.0
        interval = self._settings.cron_renew_interval
        waits = [interval]
        if len(self._crew):
            waits.append(self._crew.seconds_to_next_duty())
        if self._redis_error:
            waits.append(RETRY_SECONDS)
        elif self._lease.held:
            waits.append(self._renewed_at + interval - self._clock())
        elif self._view and self._view.leader:
            waits.append(self._view.seconds_left + random.uniform(0.005, JITTER_SECONDS))
        elif self._free_since is not None and self._settings.cron == 'auto' and not self._view.paused:
            waits.append(COURTESY_SECONDS)
        if self._lease.held:
            waits.append(self._lease.seconds_left() - self._settings.cron_stop_timeout)
        return max(0.0, min(wait for wait in waits if wait is not None))
