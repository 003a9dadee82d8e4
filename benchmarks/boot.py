# -*- coding: utf-8 -*-
"""Boot: time to ready, the first request of a new worker, memory per worker.

Ready is the first answer to XML-RPC `version`, which the stock server gives before it has loaded
any registry: its workers do that with their first request, ours inherit it. So both are measured.
The memory is that of workers that have served every web workload, as PSS.
"""
import time

from benchmarks.requests_per_second import work_file
from benchmarks.suite import processes, systems, wrk
from benchmarks.suite.statements import Statements
from benchmarks.suite.workloads import Workloads

PART = 'boot'


def run(lab):
    """All of it."""
    first_requests(lab, rounds=3 if lab.quick else 8)
    for workers in ((4,) if lab.quick else (2, 4, 8)):
        memory(lab, workers, seconds=4 if lab.quick else 6)
    ready(lab, rounds=1 if lab.quick else 4)


def _pair(lab, workers):
    return [systems.stock(lab.postgres, lab.database('boot'), workers),
            systems.ours(lab.postgres, lab.database('boot'), 1, workers)]


def ready(lab, rounds):
    """From the start of a server of 4 workers to its first answers."""
    ready_series = lab.run.new(PART, 'start to first answer (version)', 's', higher_is_better=False)
    search_series = lab.run.new(PART, 'start to first search', 's', higher_is_better=False)
    pair = _pair(lab, 4)
    for system in pair:
        if system.redis:
            system.redis.start()
    try:
        for _turn in range(rounds):
            for system in pair:
                server, began = system.nodes[0], time.monotonic()
                server.start(wait=False)
                server.wait_until_ready(120)
                ready_series.add(_key(system), time.monotonic() - began)
                _search(system, server.url)
                search_series.add(_key(system), time.monotonic() - began)
                server.stop(60)
    finally:
        _end(pair)


def first_requests(lab, rounds):
    """The only worker is killed; its successor is asked at once."""
    search = lab.run.new(PART, 'first request of a new worker: search', 'ms', higher_is_better=False)
    form = lab.run.new(PART, 'first request of a new worker: form view', 'ms', higher_is_better=False)
    queries = lab.run.new('ormcache', 'SQL queries of the first form view of a new worker', 'queries',
                          higher_is_better=False)
    pair = _pair(lab, 1)
    try:
        for system in pair:
            system.start()
            _form(system)
            _form(system)
        for _turn in range(rounds):
            for system in pair:
                search.add(_key(system), _first(system, _search))
            for system in pair:
                form.add(_key(system), _first(system, _form))
        for _turn in range(2):
            for system in pair:
                with Statements(lab.postgres, system.database) as statements:
                    _first(system, _form)
                    queries.add(_key(system), statements.count())
    finally:
        _end(pair)


def _first(system, ask):
    """Milliseconds of `ask` on a worker that has served nothing."""
    processes.replace_worker(system.nodes[0])
    time.sleep(0.3)  # what the supervisor does around the fork is not the request
    began = time.monotonic()
    ask(system)
    return (time.monotonic() - began) * 1000


def memory(lab, workers, seconds):
    """PSS per worker after every web workload has run on every worker."""
    series = lab.run.new(PART, 'PSS per HTTP worker, %d workers' % workers, 'MB', higher_is_better=False)
    whole = lab.run.new(PART, 'PSS of the whole server, %d workers' % workers, 'MB', higher_is_better=False)
    pair = _pair(lab, workers)
    try:
        for system in pair:
            system.start(wait=False)
        for system in pair:
            system.wait()
            every = Workloads(system.url, system.database)
            for workload in every.all():
                if workload.name in ('XML-RPC search', 'mixed: 80 % read, 20 % write', 'web: form view',
                                     'web: menus', 'web: list of orders'):
                    wrk.burst(system.url, work_file(lab, workload, system), seconds / 3.0, 2 * workers)
        for system in pair:
            for pid in processes.http_workers(system.nodes[0]):
                series.add(_key(system), processes.pss_mb([pid]))
            whole.add(_key(system), processes.pss_mb(system.nodes[0].titles()))
    finally:
        _end(pair)


def _search(system, url=None):
    Workloads.search(system.database).send(url or system.nodes[0].url)


def _form(system):
    Workloads.form(system.database).send(system.nodes[0].url)


def _key(system):
    return 'stock' if system.key == 'stock' else 'ours'


def _end(pair):
    for system in pair:
        system.kill_all()
