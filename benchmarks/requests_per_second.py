# -*- coding: utf-8 -*-
"""Requests per second and latency through nginx: ours against stock, plain gunicorn and the recipe.

wrk keeps eight connections busy, so latencies are those of a saturated server. The systems are
measured in turns, workload by workload; each turn begins with another system.
"""
import subprocess
import time
from http.client import HTTPException

from testbed import paths, session
from testbed.site import Site

from benchmarks.suite import processes, systems, wrk
from benchmarks.suite.redis_commands import Watch
from benchmarks.suite.workloads import AS_SHIPPED, SHORT, STATIC, Workloads

PART = 'requests'
CONNECTIONS = 8
WORKERS = 4
#: fewer than that in a burst would make a median of chance
REQUESTS_PER_BURST = 30.0
REST_SECONDS = 5.0


def run(lab):
    """Measure all workloads on all systems."""
    compared = start(lab)
    try:
        measure(lab, compared, rounds=3 if lab.quick else 5, seconds=0.4 if lab.quick else 0.6,
                most=80 if lab.quick else 480)
        static_as_shipped(lab, compared[0], compared[1], rounds=3 if lab.quick else 5)
        redis_commands(lab, [system for system in compared if system.redis])
    finally:
        for system in compared:
            system.kill_all()


def start(lab):
    """The systems to compare, all running."""
    makers = [('stock', lambda name: systems.stock(lab.postgres, name, WORKERS)),
              ('ours_1x4', lambda name: systems.ours(lab.postgres, name, 1, WORKERS))]
    if not lab.quick:
        makers += [('gunicorn', lambda name: systems.gunicorn(lab.postgres, name, WORKERS)),
                   ('ours_2x2', lambda name: systems.ours(lab.postgres, name, 2, WORKERS // 2)),
                   ('ours_4x1', lambda name: systems.ours(lab.postgres, name, 4, WORKERS // 4)),
                   ('recipe', lambda name: systems.recipe(lab.postgres, name, WORKERS))]
    compared = [make(lab.database(name)) for name, make in makers]
    for system in compared:
        system.start(wait=False)
    return [system.wait() for system in compared]


def measure(lab, compared, rounds, seconds, most):
    """All workloads in turns; none is begun after `most` seconds."""
    until = time.monotonic() + most
    workloads = [Workloads(system.url, system.database).all() for system in compared]
    for system, own in zip(compared, workloads):
        warm_up(lab, system, own[1])
    for own in zip(*workloads):
        if time.monotonic() > until:
            lab.run.remark(PART, "%s: no time left." % own[0].name)
            continue
        try:
            more = 2 if own[0].name in SHORT and not lab.quick else 0  # targets near what is measured
            _one_workload(lab, compared, own, rounds + more, seconds)
        except (wrk.LoadFailed, HTTPException, OSError, ValueError) as error:
            lab.run.remark(PART, "%s is incomplete: %s." % (own[0].name, str(error)[:200]))


def _one_workload(lab, compared, own, rounds, seconds):
    """`own`: the workload as each of the compared systems is asked."""
    name = own[0].name
    series = lab.run.new(PART, name, 'req/s', higher_is_better=True)
    latencies = [lab.run.new('latency', '%s, %s' % (name, share), 'ms', higher_is_better=False)
                 for share in ('p50', 'p95', 'p99')]
    cost = lab.run.new('cost', name, 'ms', higher_is_better=False)
    failed = lab.run.new('failures', name, 'failed requests', baseline=None)
    works = [work_file(lab, workload, system) for system, workload in zip(compared, own)]
    warm = [wrk.burst(system.url, work, seconds / 2, CONNECTIONS) for system, work in zip(compared, works)]
    length = long_enough(seconds, max(outcome.per_second for outcome in warm))
    for turn in range(rounds):
        for index in in_turn(len(compared), turn):
            key, before = compared[index].key, sum(processes.spent(lab, compared[index]))
            outcome = wrk.burst(compared[index].url, works[index], length, CONNECTIONS)
            if outcome.requests:
                spent = sum(processes.spent(lab, compared[index])) - before
                cost.add(key, 1000.0 * spent / outcome.requests)
            series.add(key, outcome.per_second)
            for each, value in zip(latencies, (outcome.p50, outcome.p95, outcome.p99)):
                each.add(key, value)
            failed.add(key, outcome.failed)
    lab.say("  %-28s %s" % (name, '  '.join(
        '%s %.0f' % (system.key, series.summary(system.key).median) for system in compared)))


def static_as_shipped(lab, stock, own, rounds, seconds=0.6):
    """Static files once more, ours behind the nginx of `oe-cluster-launch nginx`, which keeps them."""
    printed = subprocess.check_output(
        [paths.python27('oe-cluster-launch'), 'nginx', '-c', own.nodes[0].configuration_path]
        + [word for node in own.nodes for word in ('--node', '127.0.0.1:%d' % node.port)],
        universal_newlines=True)
    site = Site(session.fresh_folder('site'), printed).start()
    urls = {stock.key: stock.url, own.key: site.url}
    for each in Workloads(stock.url, stock.database).all():
        if each.name not in STATIC:
            continue
        series = lab.run.new(PART, each.name + AS_SHIPPED, 'req/s', higher_is_better=True)
        work = work_file(lab, each, stock)
        for url in urls.values():
            each.check(url)
            wrk.burst(url, work, seconds, CONNECTIONS)
        for turn in range(rounds):
            for index in in_turn(len(urls), turn):
                key = list(urls)[index]
                series.add(key, wrk.burst(urls[key], work, seconds, CONNECTIONS).per_second)
    site.kill_all()


def other_counts(lab, counts=(2, 8), rounds=4, seconds=0.6):
    """Stock and ours, one node, with fewer and more workers than processors can use."""
    if lab.quick:
        return
    for workers in counts:
        pair = [systems.stock(lab.postgres, lab.database('workers'), workers),
                systems.ours(lab.postgres, lab.database('workers'), 1, workers)]
        try:
            for system in pair:
                system.start(wait=False)
            every = [Workloads(system.wait().url, system.database).all() for system in pair]
            for system, own in zip(pair, every):
                warm_up(lab, system, own[1])
            for place, first in enumerate(every[0]):
                if first.name not in ('XML-RPC search', 'web: read, 1 partner', 'web: list of orders'):
                    continue
                series = lab.run.new('workers', '%s, %d workers' % (first.name, workers), 'req/s',
                                     higher_is_better=True)
                works = [work_file(lab, own[place], system) for system, own in zip(pair, every)]
                for turn in range(rounds):
                    for index in in_turn(len(pair), turn):
                        series.add(('stock', 'ours')[index], wrk.burst(
                            pair[index].url, works[index], seconds, CONNECTIONS).per_second)
        finally:
            for system in pair:
                system.kill_all()


def redis_commands(lab, compared, count=20):
    """What one client's requests, one after the other, make each system send to Redis.

    What a system sends at rest is measured apart, and taken off: it is per second, not per request.
    """
    wanted = SHORT + ('web: form view', 'web: list of orders', 'web: menus')
    at_rest = lab.run.new('redis', 'at rest', 'commands per second', higher_is_better=False,
                          baseline='recipe')
    for system in compared:
        with Watch(system.redis) as watch:
            time.sleep(REST_SECONDS)
        per_second = 1.0 * watch.sent / REST_SECONDS
        at_rest.add(system.key, per_second)
        for workload in Workloads(system.url, system.database).all():
            if workload.name in wanted:
                series = lab.run.find('redis', workload.name) or lab.run.new(
                    'redis', workload.name, 'commands per request', higher_is_better=False, baseline='recipe')
                workload.check(system.url)
                began = time.monotonic()
                with Watch(system.redis) as watch:
                    for number in range(count):
                        workload.requests[number % len(workload.requests)].send(system.url)
                own = watch.sent - per_second * (time.monotonic() - began)
                series.add(system.key, max(own, 0.0) / count)


def long_enough(seconds, per_second):
    """How long a burst must be to see at least so many requests; at most four times as long as usual."""
    return min(4 * seconds, max(seconds, REQUESTS_PER_BURST / max(per_second, 1)))


def in_turn(count, turn):
    """The order of `count` systems in a turn: each turn begins with the next."""
    return [(place + turn) % count for place in range(count)]


def work_file(lab, workload, system):
    """The workload as wrk reads it, after each of its requests was answered soundly once."""
    workload.check(system.url)
    name = ''.join(each if each.isalnum() else '_' for each in '%s_%s' % (workload.name, system.database))
    return wrk.write_work('%s/%s.lua' % (lab.folder, name), workload.requests, workload.sound)


def warm_up(lab, system, workload, seconds=4):
    """Let every worker load what it loads lazily."""
    wrk.burst(system.url, work_file(lab, workload, system), seconds, 2 * CONNECTIONS)
