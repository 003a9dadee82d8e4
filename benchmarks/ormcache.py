# -*- coding: utf-8 -*-
"""The ormcache: what a hit and a miss cost by level, lookups of several processes, a storm of clears.

The first request of a cold worker is measured by boot.py, which has such workers.
"""
import threading
import time

from testbed import session
from testbed.clients import XmlRpcClient
from testbed.redis_server import RedisServer

from benchmarks.inside import report
from benchmarks.requests_per_second import work_file
from benchmarks.suite import figures, systems, wrk
from benchmarks.suite.workloads import Workloads

PART = 'ormcache'
WORKERS = 4
STORM_SECONDS = 1.0
REQUESTS_AFTER = 60


def run(lab):
    """Inside one process first, then whole servers."""
    redis = RedisServer(session.fresh_folder('redis')).start()
    try:
        _code, printed = lab.python27('benchmarks.inside.ormcache', redis.socket_path, 5 if lab.quick else 15,
                                      5000 if lab.quick else 20000, 0.2 if lab.quick else 0.4)
    finally:
        redis.kill_all()
    for name, unit, samples in report.read(printed):
        lab.run.new(PART, name, unit, higher_is_better=unit == '1/s', samples=samples,
                    baseline='stock' if 'stock' in samples else None)
    if not lab.quick:
        storm(lab, rounds=4)


def storm(lab, rounds):
    """Caches are cleared as fast as a client can write; then a form is asked for until all is as before.

    The figure is the time lost: what the next requests took longer than before the storm.
    """
    during = lab.run.new(PART, 'storm of clears: form view, median during it', 'ms', higher_is_better=False)
    lost = lab.run.new(PART, 'storm of clears: time lost by the next %d form views' % REQUESTS_AFTER, 'ms',
                       higher_is_better=False)
    worst = lab.run.new(PART, 'storm of clears: slowest form view after it', 'ms', higher_is_better=False)
    compared = [systems.stock(lab.postgres, lab.database('storm'), WORKERS),
                systems.ours(lab.postgres, lab.database('storm'), 2, WORKERS // 2)]
    try:
        for system in compared:
            system.start(wait=False)
        for system in compared:
            every = Workloads(system.wait().url, system.database).all()
            form = [workload for workload in every if workload.name == 'web: form view'][0]
            wrk.burst(system.url, work_file(lab, form, system), 6, 2 * WORKERS)
        for _turn in range(rounds):
            for system in compared:
                before = figures.median([_form(system) for _ in range(20)])
                with _Storm(system):
                    until = time.monotonic() + STORM_SECONDS
                    seen = [_form(system)]
                    while time.monotonic() < until:
                        seen.append(_form(system))
                after = [_form(system) for _ in range(REQUESTS_AFTER)]
                key = 'stock' if system.key == 'stock' else 'ours'
                during.add(key, figures.median(seen))
                lost.add(key, sum(max(0.0, each - before) for each in after))
                worst.add(key, max(after))
    finally:
        for system in compared:
            system.kill_all()


def _form(system):
    began = time.monotonic()
    Workloads.form(system.database).send(system.url)
    return (time.monotonic() - began) * 1000


class _Storm(object):
    """A client that writes what every cache depends on, without a pause."""

    def __init__(self, system):
        self._client = XmlRpcClient(system.url, system.database)
        self._rule = self._client.call('ir.rule', 'search', [])[0]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._rage, daemon=True)

    def _rage(self):
        while not self._end.is_set():
            self._client.call('ir.rule', 'write', [self._rule], {'name': 'storm'})

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_exception):
        self._end.set()
        self._thread.join(60)
