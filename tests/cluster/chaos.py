# -*- coding: utf-8 -*-
"""Rounds of random faults on whole nodes; the witness in PostgreSQL is the judge.

    pytest tests/cluster/test_chaos.py                         30 rounds
    CHAOS_ROUNDS=300 CHAOS_SEED=7 pytest ...                   any number, and the same faults again

A round is a fault, its end, and the wait until all that was due meanwhile is
done. Two figures are judged: the longest gap between two starts of jobs from
the fault on (without a fault it is under 1 s), and the longest delay of any
job from the moment it was made due to the start of the execution that
completed it, which is longer where a job was killed and run again.
"""
import collections
import random
import time

import chaos_faults as faults
from chaos_world import JOBS, TTL
from testbed import verdict
from testbed.waiting import wait_until

#: what the rule "TTL + 2 s" allows for a gap
ALLOWED_SECONDS = TTL + 2.0
#: what a single job may wait besides, for the others to be run first
QUEUE_SECONDS = sum(seconds for _, seconds in JOBS)
#: after a fault is mended: what it may still cost shows within this
SETTLING_SECONDS = 0.5
#: a fault of the whole cluster is over a little later than it is mended: clients find out
RECOVERY_SECONDS = 1.0
#: how long a fault lasts; the longest only where there is time
HOLDS = (0.2, 1.0, TTL - 0.5, TTL + 1.0, 3 * TTL)

Round = collections.namedtuple('Round', 'number fault victim led held gap delay allowed')


def play(world, number, chance, holds=HOLDS):
    """One round; returns what happened."""
    since = world.now()
    wait_until(lambda: world.started_after(since), 40, "work goes on before round %d" % number, 0.1)
    time.sleep(chance.uniform(0, 0.8))
    fault, leader = faults.choose(world, chance), world.leader()
    victim = leader if chance.random() < 0.75 else chance.choice(sorted(world.nodes))
    held = chance.choice(holds)
    since = world.now()
    mend = fault(world, victim, held)
    if mend:
        time.sleep(held)
        mend()
    lasted = world.now() - since
    of_all = fault in faults.OF_THE_WHOLE_CLUSTER
    allowed = ALLOWED_SECONDS + (lasted + RECOVERY_SECONDS if of_all else 0.0)
    settled = world.now() + SETTLING_SECONDS
    last = wait_until(lambda: world.started_after(settled), allowed + 30,
                      "work goes on after %s of %s in round %d" % (fault.__name__, victim, number), 0.1)
    delay = _longest_delay(world, since, settled, allowed + 30)
    world.whole_again()
    return Round(number, fault.__name__, victim, victim == leader, lasted if mend or of_all else 0.0,
                 world.longest_gap(since, last.started), delay, allowed)


def _longest_delay(world, since, until, patience_seconds):
    """Of all due times that were set or still open between two moments, once each is served.

    A job that ran when the fault came and was killed by it counts from then.
    """
    def waits():
        promises = [each for each in world.witness.promises() if since - 60 < each.made <= until]
        found = [0.0]
        for promise, seconds in verdict.delays(promises, world.witness.executions(since=since - 60)):
            if seconds is None:
                return None
            found.append(promise.made + seconds - max(promise.made, since))
        return found
    return max(wait_until(waits, patience_seconds, "every due time of the round is served", 0.2))


def run(world, rounds, seed, holds=HOLDS, say=print):
    """Play all rounds; returns (rounds, faults found by the witness)."""
    chance, played = random.Random(seed), []
    for number in range(1, rounds + 1):
        each = play(world, number, chance, holds)
        played.append(each)
        say("round %3d  %-31s %s%s  lasted %4.1f s  longest gap %5.2f s  longest delay %5.2f s" % (
            number, each.fault, each.victim, ' (leader)' if each.led else '         ',
            each.held, each.gap, each.delay))
        found = world.witness.faults() + list(_too_long(each))
        if found:
            return played, ["round %d: %s" % (number, fault) for fault in found]
    return played, list(verdict.missed(world.witness.promises(), world.witness.executions(), world.now(),
                                       max(each.allowed for each in played) + QUEUE_SECONDS))


def _too_long(played):
    if played.gap > played.allowed:
        yield "nothing ran for %.2f s (%.1f s allowed)" % (played.gap, played.allowed)
    if played.delay > played.allowed + QUEUE_SECONDS:
        yield "a job was late by %.2f s (%.1f s allowed)" % (played.delay, played.allowed + QUEUE_SECONDS)


def summary(played, world, seed):
    """What happened, as Markdown."""
    executions = world.witness.executions()
    done = [each for each in executions if each.ended]
    lines = ["%d rounds, seed %s: %d executions, %d of them killed or rolled back, of %d due times, "
             "terms 1 to %d; faults found by the witness: %d." % (
                 len(played), seed, len(executions), len(executions) - len(done),
                 len(world.witness.promises()), executions[-1].term, len(world.witness.faults())),
             "", "| fault (of the leader) | rounds | gap: median s | p99 s | max s | "
             "delay: median s | p99 s | max s |", "|---|---|---|---|---|---|---|---|"]
    for name in [fault.__name__ for fault in faults.EVERY]:
        rounds = [each for each in played if each.fault == name and each.led]
        if rounds:
            lines.append("| %s | %d | %s | %s |" % (name, len(rounds), _row([each.gap for each in rounds]),
                                                    _row([each.delay for each in rounds])))
    return '\n'.join(lines)


def _row(seconds):
    seconds = sorted(seconds)
    return '%.2f | %.2f | %.2f' % (seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)], seconds[-1])
