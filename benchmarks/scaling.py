# -*- coding: utf-8 -*-
"""Scaling: throughput and Redis commands as nodes grow from 1 to 8; where the limits are.

All nodes share this machine's processors, so throughput here shows what more nodes cost, not what
they bring. What they would bring is modelled from the processor time that one request takes of a
node, of PostgreSQL and of Redis, and from what an idle node takes.
"""
import os
import time

from testbed import session
from testbed.nginx import Nginx

from benchmarks.requests_per_second import CONNECTIONS, in_turn, work_file
from benchmarks.suite import processes, systems, wrk
from benchmarks.suite.redis_commands import Watch
from benchmarks.suite.workloads import Workloads

PART = 'scaling'
NODES = (1, 2, 4, 8)
#: what each machine of the model has, nodes and PostgreSQL alike; Redis uses one of its processors
MODEL_CORES = 4
WORKLOADS = ('web: read, 1 partner', 'mixed: 80 % read, 20 % write', 'web: list of orders')


def run(lab):
    """Eight nodes of one worker; nginx in front of the first 1, 2, 4, 8 of them."""
    if lab.quick:
        lab.run.remark(PART, "Left out of the quick run.")
        return
    system, fronts = systems.ours(lab.postgres, lab.database('scaling'), max(NODES), 1), {}
    try:
        system.start()
        for count in NODES:
            ports = [node.port for node in system.nodes[:count]]
            fronts[count] = Nginx(session.fresh_folder('front'), ports).start()
        measure(lab, system, fronts, rounds=3, seconds=1.5)
    finally:
        system.kill_all()
        for front in fronts.values():
            front.kill_all()


def measure(lab, system, fronts, rounds, seconds):
    """Throughput by number of nodes; then costs, with all of them."""
    every = [workload for workload in Workloads(system.url, system.database).all()
             if workload.name in WORKLOADS]
    lab.run.remark(PART, "All nodes, nginx, PostgreSQL and the client share this machine's %d processors: "
                         "once they are busy, more nodes cannot serve more, but show what they cost."
                   % os.cpu_count())
    for workload in every:
        wrk.burst(system.url, work_file(lab, workload, system), 3, 2 * CONNECTIONS)
    background = at_rest(lab, system)
    for workload in every:
        work = work_file(lab, workload, system)
        series = lab.run.new(PART, workload.name, 'req/s', higher_is_better=True, baseline='1 node')
        sent = lab.run.new(PART, 'Redis commands per request: ' + workload.name, 'commands',
                           higher_is_better=False, baseline=None)
        for turn in range(rounds):
            for place in in_turn(len(NODES), turn):
                outcome = wrk.burst(fronts[NODES[place]].round_robin_url, work, seconds, CONNECTIONS)
                series.add(_label(NODES[place]), outcome.per_second)
        for count in NODES:
            requests, began = 10 * count, time.monotonic()
            with Watch(system.redis) as watch:
                for number in range(requests):
                    workload.requests[number % len(workload.requests)].send(fronts[count].round_robin_url)
            own = watch.sent - background * (time.monotonic() - began)
            sent.add(_label(count), max(0.0, own / requests))
        costs(lab, system, workload, work)


def costs(lab, system, workload, work, seconds=4.0):
    """Processor time per request of each of the three, and the model that follows from it."""
    before = processes.spent(lab, system)
    outcome = wrk.burst(system.url, work, seconds, CONNECTIONS)
    spent = [after - start for start, after in zip(before, processes.spent(lab, system))]
    if outcome.requests < 20:
        return
    node, postgres, redis = (1000.0 * each / outcome.requests for each in spent)
    series = lab.run.new(PART, 'processor time per request: ' + workload.name, 'ms', baseline=None)
    for name, value in (('node', node), ('PostgreSQL', postgres), ('Redis', redis)):
        series.add(name, value)
    model = limits(node, postgres, redis, MODEL_CORES)
    series = lab.run.new('model', workload.name, 'nodes of %d cores' % MODEL_CORES, baseline=None)
    series.add('PostgreSQL (%d cores) is full at' % MODEL_CORES, model['postgres'])
    series.add('Redis (1 core) is full at', model['redis'])
    series.add('requests per second of one such node', model['per_node'])
    first, nodes = ('PostgreSQL', model['postgres'])
    if model['redis'] < nodes:
        first, nodes = ('Redis', model['redis'])
    lab.run.remark('model', "%s: %s is full first, at %.1f such nodes, %.0f requests per second." % (
        workload.name, first, nodes, nodes * model['per_node']))


def limits(node_ms, postgres_ms, redis_ms, cores):
    """From processor time per request in ms: requests per second of a node, nodes that fill each server.

    PostgreSQL has as many cores as a node; Redis uses one.
    """
    per_node = 1000.0 * cores / node_ms
    return {'per_node': per_node, 'postgres': node_ms / max(postgres_ms, 1e-6),
            'redis': 1000.0 / max(redis_ms, 1e-6) / per_node}


def at_rest(lab, system, seconds=10):
    """What nodes cost when nobody asks them: lease, membership, cron's polls.

    :returns: Redis commands per second of all of them
    """
    time.sleep(1)
    before, began = processes.spent(lab, system), time.monotonic()
    with Watch(system.redis) as watch:
        time.sleep(seconds)
    gone = time.monotonic() - began
    node, postgres, redis = (1000.0 * (after - start) / gone / len(system.nodes)
                             for start, after in zip(before, processes.spent(lab, system)))
    series = lab.run.new(PART, 'an idle node, per second', 'ms of processor time', baseline=None)
    for name, value in (('node', node), ('PostgreSQL', postgres), ('Redis', redis)):
        series.add(name, value)
    lab.run.new(PART, 'an idle node: Redis commands per second', 'commands', baseline=None,
                samples={'ours': [watch.sent / gone / len(system.nodes)]})
    series = lab.run.new('model', 'lease, membership, polls of idle nodes', 'nodes of %d cores' % MODEL_CORES,
                         baseline=None)
    series.add('PostgreSQL (%d cores) is full at' % MODEL_CORES, 1000.0 * MODEL_CORES / max(postgres, 1e-3))
    series.add('Redis (1 core) is full at', 1000.0 / max(redis, 1e-3))
    lab.run.remark('model', "The lease, membership and polls of idle nodes alone fill the first server at "
                            "%.0f nodes." % min(found[0] for found in series.samples.values()))
    return watch.sent / gone


def _label(count):
    return '%d node%s' % (count, 's' if count > 1 else '')

