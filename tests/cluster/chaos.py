# -*- coding: utf-8 -*-
"""Rounds of random faults on whole nodes; the witness in PostgreSQL is the judge.

    pytest tests/cluster/test_chaos.py              30 rounds
    CHAOS_ROUNDS=300 CHAOS_SEED=7 pytest ...        any number, and the same faults again

Every node reaches Redis and PostgreSQL through relays of its own, so that it
can be cut off alone. Jobs are made due all the time. A round is a fault, its
end, and the wait until work goes on. The failover time is the longest gap
between two starts of jobs from the fault on; without a fault it is under 1 s.
"""
import collections
import os
import random
import signal
import threading
import time

from testbed.node import NodeProcess, write_secret_key
from testbed.relay import make_relay
from testbed.waiting import wait_until
from testbed.witness import Witness

#: about a third of the shipped times
TIMES = dict(cron_lease_ttl='3s', cron_lease_margin='800ms', cron_renew_interval='600ms',
             cron_stop_timeout='500ms', redis_timeout='300ms', member_ttl='4s', cron_poll_interval='300ms',
             graceful_timeout='5s')
TTL = 3.0
#: what the rule "TTL + 2 s" allows, and what a loaded machine may add
ALLOWED_SECONDS = TTL + 2.0
JOBS = (('instant', 0.0), ('quick', 0.05), ('short', 0.2), ('middle', 0.6), ('long', 1.5))

#: after a fault is mended: what it may still cost shows within this
SETTLING_SECONDS = 1.0

Round = collections.namedtuple('Round', 'number fault victim led held seconds allowed')
Endpoint = collections.namedtuple('Endpoint', 'host port role')


class ChaosCluster(object):
    """Three nodes, one Redis that keeps its data, one PostgreSQL, and relays between."""

    def __init__(self, folder, postgres, redis, database, names='abc'):
        self.redis = redis
        self.witness = Witness(postgres, database).install()
        for name, seconds in JOBS:
            self.witness.add_job(name, seconds)
        key = write_secret_key(os.path.join(folder, 'secret.key'))
        self.nodes, self.redis_relays, self.postgres_relays = {}, {}, {}
        for name in names:
            place = os.path.join(folder, name)
            self.redis_relays[name] = make_relay(place + '-redis', 'redis-relay-' + name, redis.socket_path)
            self.postgres_relays[name] = make_relay(place + '-postgres', 'postgres-relay-' + name,
                                                    str(postgres.port))
            self.nodes[name] = NodeProcess(
                name, place, Endpoint('127.0.0.1', self.postgres_relays[name].port, postgres.role),
                'redis://127.0.0.1:%d/0' % self.redis_relays[name].port, key, database=database,
                workers=2, cluster=dict(TIMES), options={'log_level': 'warn', 'max_cron_threads': 2})
        self._made_due_until = None

    @property
    def services(self):
        return (list(self.redis_relays.values()) + list(self.postgres_relays.values())
                + list(self.nodes.values()))

    def start(self):
        for service in self.services:
            service.start(wait=False)
        for service in self.services:
            service.wait_until_ready()
        self._stopped = threading.Event()
        self._driver = threading.Thread(target=self._make_jobs_due)
        self._driver.daemon = True
        self._driver.start()
        return self

    def kill_all(self):
        self._stopped.set()
        self._driver.join(10)
        for service in reversed(self.services):
            service.resume()
            service.kill_all()

    def _make_jobs_due(self):
        while not self._stopped.wait(0.3):
            self.witness.make_due()

    def leader(self):
        """The node that ran the last job."""
        return self.witness.executions()[-1].node

    def now(self):
        """The clock that executions are written by."""
        return float(self.witness._query("SELECT extract(epoch FROM clock_timestamp()::timestamp)")[0][0])

    def started_after(self, moment):
        """The first execution after that moment, or None."""
        return next((each for each in self.witness.executions() if each.started > moment), None)

    def longest_gap(self, since, until):
        """The longest time between two moments in which no job was started."""
        moments = [since] + [each.started for each in self.witness.executions()
                             if since < each.started <= until]
        return max(after - before for before, after in zip(moments, moments[1:]))

    def titled(self, node, role):
        return [pid for pid, title in self.nodes[node].titles().items() if ' %s ' % role in title]


class Faults(object):
    """One method per fault: (cluster, victim, seconds to hold it) -> what must be mended afterwards."""

    @staticmethod
    def kill_node(cluster, victim, seconds):
        cluster.nodes[victim].kill_all()
        return lambda: cluster.nodes[victim].start(wait=False)

    @staticmethod
    def stop_node(cluster, victim, seconds):
        cluster.nodes[victim].pause()
        return cluster.nodes[victim].resume

    @staticmethod
    def kill_agent(cluster, victim, seconds):
        for pid in cluster.titled(victim, 'cron agent'):
            os.kill(pid, signal.SIGKILL)

    @staticmethod
    def stop_agent(cluster, victim, seconds):
        pids = cluster.titled(victim, 'cron agent')
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        return lambda: [os.kill(pid, signal.SIGCONT) for pid in pids if os.path.exists('/proc/%d' % pid)]

    @staticmethod
    def kill_worker(cluster, victim, seconds):
        for pid in cluster.titled(victim, 'cron worker'):
            os.kill(pid, signal.SIGKILL)

    @staticmethod
    def cut_from_redis(cluster, victim, seconds):
        cluster.redis_relays[victim].pause()
        return cluster.redis_relays[victim].resume

    @staticmethod
    def cut_from_postgres(cluster, victim, seconds):
        cluster.postgres_relays[victim].pause()
        return cluster.postgres_relays[victim].resume

    @staticmethod
    def pause_redis(cluster, victim, seconds):
        cluster.redis.pause()
        return cluster.redis.resume

    @staticmethod
    def flush_redis(cluster, victim, seconds):
        cluster.redis.ask('FLUSHALL')

    @staticmethod
    def restart_redis_with_data(cluster, victim, seconds):
        cluster.redis.kill_all()
        return cluster.redis.start

    @staticmethod
    def restart_redis_without_data(cluster, victim, seconds):
        cluster.redis.lose_data()
        return cluster.redis.start

    @staticmethod
    def lose_the_lease_key(cluster, victim, seconds):
        """As after a failover to a replica that lagged: the lease and its term are gone."""
        cluster.redis.ask('DEL', 'oe:lease:cron', 'oe:term:cron')


#: while these last nobody can lead
OF_THE_WHOLE_CLUSTER = ('pause_redis', 'restart_redis_with_data', 'restart_redis_without_data')
NAMES = sorted(name for name in vars(Faults) if not name.startswith('_'))


def play(cluster, number, chance):
    """One round; returns what happened."""
    wait_until(lambda: len(cluster.witness.executions()) > 0, 60, "the first job ran")
    since = cluster.now()
    wait_until(lambda: cluster.started_after(since), 40, "work goes on before round %d" % number)
    time.sleep(chance.uniform(0, 0.8))
    fault, leader = chance.choice(NAMES), cluster.leader()
    victim = leader if chance.random() < 0.75 else chance.choice(sorted(cluster.nodes))
    held = chance.choice((0.2, 1.0, TTL - 0.5, TTL + 1.0, 2 * TTL))
    since = cluster.now()
    mend = getattr(Faults, fault)(cluster, victim, held)
    if mend:
        time.sleep(held)
        mend()
    allowed = ALLOWED_SECONDS + (held + 1.0 if fault in OF_THE_WHOLE_CLUSTER else 0.0)
    settled = cluster.now() + SETTLING_SECONDS
    last = wait_until(lambda: cluster.started_after(settled), allowed + 30,
                      "work goes on after %s of %s in round %d" % (fault, victim, number))
    made = Round(number, fault, victim, victim == leader, held if mend else 0.0,
                 cluster.longest_gap(since, last.started), allowed)
    _bring_back(cluster)
    return made


def _bring_back(cluster):
    for node in cluster.nodes.values():
        if not node.is_running():
            node.start(wait=False)
        node.wait_until_ready(60)


def run(cluster, rounds, seed, say=print):
    """Play all rounds; returns (rounds, faults found by the witness)."""
    chance, played = random.Random(seed), []
    for number in range(1, rounds + 1):
        played.append(play(cluster, number, chance))
        say("round %3d  %-27s %s%s  held %.1f s  longest gap %.2f s" % (
            number, played[-1].fault, played[-1].victim, ' (leader)' if played[-1].led else '         ',
            played[-1].held, played[-1].seconds))
        found = cluster.witness.faults()
        if found:
            return played, ["round %d: %s" % (number, fault) for fault in found]
    return played, []


def summary(played, cluster, seed):
    """What happened, as Markdown."""
    executions = cluster.witness.executions()
    done = [each for each in executions if each.ended]
    lines = ["%d rounds, seed %s: %d executions, %d of them killed or rolled back, terms 1 to %d; "
             "faults found by the witness: %d." % (
                 len(played), seed, len(executions), len(executions) - len(done), executions[-1].term,
                 len(cluster.witness.faults())),
             "", "| fault (of the leader) | rounds | median gap s | p99 s | max s |", "|---|---|---|---|---|"]
    for name in NAMES:
        seconds = sorted(each.seconds for each in played if each.fault == name and each.led)
        if seconds:
            lines.append("| %s | %d | %.2f | %.2f | %.2f |" % (
                name, len(seconds), seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)],
                seconds[-1]))
    return '\n'.join(lines)
