# -*- coding: utf-8 -*-
"""How much Redis costs the cron election of many nodes: real agents, no OpenERP.

    python benchmarks/cron_scale.py [NODES] [SECONDS]

Forks that many cron agents with the shipped times against a Redis of their
own, and reads from the server itself what it did: commands per second and
processor time, at rest and while the leader is replaced. Prints Markdown.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from oe_cluster_launch.cluster.membership import Membership
from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron.agent import Agent
from oe_cluster_launch.cron.control import Control
from oe_cluster_launch.cron.crew import Crew
from oe_cluster_launch.cron.lease import Lease, timeout_seconds
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store
from oe_cluster_launch.store.subscription import Subscription

PROFILE = {'address': '10.0.0.1:8069', 'workers': 8, 'version': '0.1.0', 'host_version': '7.0',
           'addons': '0123abcd', 'keys': ['0123456789abcdef'], 'databases': ['production'], 'postgres': '1'}


def idle(shift):
    """A cron worker without work."""
    while not shift.over:
        shift.wait(5.0)


def start_agent(settings, number):
    """One node's agent in a child; returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    node, store = 'node-%03d' % number, Store(settings, timeout_seconds(settings))
    try:
        Agent(settings, node, Lease(store, settings, node, node), Crew(idle, 2),
              Subscription(store, store.keys.cron_bell),
              Membership(store, settings, node, node, PROFILE)).run()
    finally:
        os._exit(0)


class Meter(object):
    """What the server has done since the last reading."""

    def __init__(self, client):
        self._client = client
        self.read()

    def read(self):
        """(commands per second, processor per cent, script calls per second) since the last call."""
        now, facts = monotonic(), self._client.info()
        scripts = sum(row['calls'] for name, row in self._client.info('commandstats').items()
                      if name in ('cmdstat_evalsha', 'cmdstat_eval'))
        values = (now, facts['total_commands_processed'],
                  facts['used_cpu_sys'] + facts['used_cpu_user'], scripts)
        before, self._before = getattr(self, '_before', values), values
        seconds = max(1e-9, now - before[0])
        return ((values[1] - before[1]) / seconds, 100.0 * (values[2] - before[2]) / seconds,
                (values[3] - before[3]) / seconds)


def wait_for_leader(control, than=0):
    until = monotonic() + 60
    while monotonic() < until:
        node, term = control.leader()
        if term > than:
            return node, term
        time.sleep(0.005)
    raise SystemExit("no leader after 60 s")


def main(nodes=200, seconds=30):
    folder = tempfile.mkdtemp(prefix='oe-scale-')
    socket_path = os.path.join(folder, 'redis.sock')
    server = subprocess.Popen(['redis-server', '--port', '0', '--unixsocket', socket_path, '--save', '',
                               '--logfile', '/dev/null'])
    settings = load_settings().replace(redis_url='unix://%s' % socket_path)
    store, pids = Store(settings), {}
    try:
        while not os.path.exists(socket_path):
            time.sleep(0.05)
        for number in range(nodes):
            pids['node-%03d' % number] = start_agent(settings, number)
        control = Control(store)
        wait_for_leader(control)
        time.sleep(2 * settings.cron_renew_interval)
        meter = Meter(store.client())
        time.sleep(seconds)
        rest = meter.read()
        leader, term = control.leader()
        os.kill(pids[leader], signal.SIGTERM)
        asked_at = monotonic()
        leader, term = wait_for_leader(control, term)
        handover = monotonic() - asked_at
        meter.read()
        os.kill(pids[leader], signal.SIGKILL)
        killed_at = monotonic()
        wait_for_leader(control, term)
        failover = monotonic() - killed_at
        time.sleep(1.0)
        busy = meter.read()
        print("| %d nodes, TTL %g s, renew %g s | at rest | over a failover |" % (
            nodes, settings.cron_lease_ttl, settings.cron_renew_interval))
        print("|---|---|---|")
        print("| commands of clients and scripts per second | %.0f | %.0f |" % (rest[0], busy[0]))
        print("| round trips (scripts) per second | %.0f | %.0f |" % (rest[2], busy[2]))
        print("| processor of redis-server | %.1f %% | %.1f %% |" % (rest[1], busy[1]))
        print("| memory of redis-server | %s | |" % store.client().info()['used_memory_human'])
        print("| handover after SIGTERM / failover after SIGKILL | %.2f s | %.2f s |" % (handover, failover))
    finally:
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        server.kill()
        server.wait()
        shutil.rmtree(folder)


if __name__ == '__main__':
    main(*[int(word) for word in sys.argv[1:]])
