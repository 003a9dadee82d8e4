# -*- coding: utf-8 -*-
"""How long cron stands still when the node that runs it stops, dies or hangs.

    python benchmarks/failover.py [--rounds 50] [--clusters 10] [--json FILE]
    python benchmarks/failover.py --whole-nodes [--rounds 10] [--clusters 2]

Clusters of three nodes with the shipped times, each with a Redis of its own.
A round waits for a random moment between two renewals, ends the leader in one
of three ways and measures until another node starts its first job. Jobs are
due all the time. By default a node is its cron agent with one worker, without
OpenERP; with --whole-nodes it is all of the real thing, and the judge is
PostgreSQL. Prints a Markdown table; several clusters run at once, because a
failover is mostly waiting.
"""
import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time

TESTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'tests')
sys.path[:0] = [os.path.dirname(TESTS), TESTS, os.path.join(TESTS, 'contract')]

from testbed import golden, session  # noqa: E402
from testbed.cluster import Cluster  # noqa: E402
from testbed.postgres import Postgres  # noqa: E402
from testbed.redis_server import RedisServer  # noqa: E402
from testbed.waiting import wait_until  # noqa: E402
from testbed.witness import Witness  # noqa: E402

from oe_cluster_launch.compat import monotonic  # noqa: E402
from oe_cluster_launch.settings import load_settings  # noqa: E402

SETTINGS = load_settings()
TTL = SETTINGS.cron_lease_ttl
KINDS = ('graceful stop', 'SIGKILL of the node', 'SIGSTOP of the node')
#: what the project promises
PROMISED_SECONDS = {'graceful stop': 1.0, 'SIGKILL of the node': TTL + 2, 'SIGSTOP of the node': TTL + 2}


class Agents(object):
    """Three cron agents whose workers do nothing but start one job after another."""

    def __init__(self):
        from candidate import TIMES, Candidate
        self.redis = RedisServer(session.fresh_folder('redis')).start()
        path = os.path.join(session.fresh_folder('witness'), 'lines')
        self._path, self._read_until = path, 0
        with open(path, 'w'):
            os.chmod(path, 0o666)
        shipped = dict((name, getattr(SETTINGS, name)) for name in TIMES)
        self.nodes = dict((name, Candidate(session.fresh_folder(name), name, path, workers=1,
                                           redis_url=self.redis.url, **shipped)) for name in 'abc')
        for node in self.nodes.values():
            node.start()

    now = staticmethod(monotonic)

    def starts(self):
        """[(node, moment)] of the jobs started since the last call."""
        with open(self._path) as witness:
            witness.seek(self._read_until)
            text = witness.read()
        text = text[:text.rfind('\n') + 1]
        self._read_until += len(text)
        return [(node, at) for node, _term, at, _pid in map(json.loads, text.splitlines())]

    def close(self):
        for node in self.nodes.values():
            node.kill_all()
        self.redis.kill_all()


class WholeNodes(object):
    """Three nodes of ours with OpenERP, on a PostgreSQL of their own."""

    def __init__(self):
        self.postgres = Postgres(session.fresh_folder('postgres'), golden.data()).start()
        self.redis = RedisServer(session.fresh_folder('redis')).start()
        database = self.postgres.create_database('failover', 'tpl_base')
        self.witness = Witness(self.postgres, database).install()
        self.witness.add_job('beat')
        self._cluster = Cluster(session.fresh_folder('cluster'), self.postgres, self.redis, database, nodes=3,
                                workers=1)
        self._cluster.start()
        self.nodes = dict((node.name, node) for node in self._cluster.nodes)
        self._seen = 0.0

    def now(self):
        return float(self.witness._query("SELECT extract(epoch FROM clock_timestamp()::timestamp)")[0][0])

    def starts(self):
        """[(node, moment)] since the last call; keeps the job due."""
        self.witness.make_due()
        found = self.witness.executions(since=self._seen)
        self._seen = max([self._seen] + [each.started for each in found])
        return [(each.node, each.started) for each in found]

    def close(self):
        self._cluster.kill_all()
        self.redis.kill_all()
        self.postgres.discard()


def one_round(cluster, kind):
    """Seconds from the end of the leader to the first job of another node."""
    leader = wait_until(cluster.starts, 60, "somebody leads")[-1][0]
    wait_until(lambda: int(cluster.redis.ask('ZCARD', 'oe:candidates')) == len(cluster.nodes), 60,
               "all are candidates")
    time.sleep(random.uniform(0, SETTINGS.cron_renew_interval))
    node, since = cluster.nodes[leader], cluster.now()
    if kind == 'graceful stop':
        node.signal(signal.SIGTERM)
    elif kind == 'SIGKILL of the node':
        node.kill_all()
    else:
        node.pause()
    moment = wait_until(lambda: [at for name, at in cluster.starts() if name != leader and at > since],
                        60, "another node runs jobs")[0]
    _bring_back(cluster, node, kind)
    return moment - since


def _bring_back(cluster, node, kind):
    if kind == 'graceful stop':
        wait_until(lambda: not node.is_running(), 60, "it ended")
    if kind != 'SIGSTOP of the node':
        node.start()
        return
    cluster.starts()
    woken = cluster.now()
    node.resume()
    seen = []
    wait_until(lambda: seen.extend(cluster.starts()) or cluster.now() - woken > 1.0, 10, "it had its chance")
    if any(name == node.name and at > woken for name, at in seen):
        raise SystemExit("%s woke up and started a job" % node.name)


def play(task):
    """Some rounds on a cluster of our own: [(kind, seconds)]. In a process of the pool."""
    whole_nodes, kinds = task
    session.begin()
    cluster = (WholeNodes if whole_nodes else Agents)()
    try:
        return [(kind, one_round(cluster, kind)) for kind in kinds]
    finally:
        cluster.close()


def measure(rounds=50, clusters=10, whole_nodes=False):
    """{kind: sorted seconds}."""
    kinds = [kind for kind in KINDS for _ in range(rounds)]
    tasks = [(whole_nodes, kinds[number::clusters]) for number in range(clusters)]
    found = dict((kind, []) for kind in KINDS)
    with multiprocessing.get_context('spawn').Pool(clusters, maxtasksperchild=1) as pool:
        for kind, seconds in [pair for pairs in pool.map(play, tasks, chunksize=1) for pair in pairs]:
            found[kind].append(seconds)
    return dict((kind, sorted(seconds)) for kind, seconds in found.items())


def figures(seconds):
    """Median, p99 (nearest rank) and maximum of sorted values."""
    return {'rounds': len(seconds), 'median': seconds[len(seconds) // 2],
            'p99': seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))], 'max': seconds[-1]}


def table(found, whole_nodes=False):
    """Markdown."""
    lines = ["Seconds until another node started its first job: TTL %g s, renewed every %g s, three %s."
             % (TTL, SETTINGS.cron_renew_interval, "whole nodes" if whole_nodes else "cron agents"), "",
             "| end of the leader | rounds | median s | p99 s | max s | promised s |",
             "|---|---|---|---|---|---|"]
    for kind in KINDS:
        each = figures(found[kind])
        lines.append("| %s | %d | %.2f | %.2f | %.2f | %g |" % (
            kind, each['rounds'], each['median'], each['p99'], each['max'], PROMISED_SECONDS[kind]))
    return '\n'.join(lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Failover times of cron")
    parser.add_argument('--rounds', type=int, default=50, help="of each kind")
    parser.add_argument('--clusters', type=int, help="at once")
    parser.add_argument('--whole-nodes', action='store_true', help="with OpenERP, instead of agents alone")
    parser.add_argument('--json', help="file to write the measurements into")
    wanted = parser.parse_args(arguments)
    found = measure(wanted.rounds, wanted.clusters or (2 if wanted.whole_nodes else 10), wanted.whole_nodes)
    print(table(found, wanted.whole_nodes))
    if wanted.json:
        with open(wanted.json, 'w') as stream:
            json.dump({'ttl_seconds': TTL, 'whole_nodes': wanted.whole_nodes,
                       'kinds': dict((kind, dict(figures(seconds), promised=PROMISED_SECONDS[kind],
                                                 seconds=seconds)) for kind, seconds in found.items())},
                      stream, indent=1, sort_keys=True)
    return found


if __name__ == '__main__':
    main()
