# -*- coding: utf-8 -*-
"""What one RPC costs inside a worker: OpenERP alone, and with our signaling, credentials and ormcache.

    .state/py27/bin/python benchmarks/rpc_cost.py [--json FILE] [--rounds N]

Two processes with the same database, one without any seam, take turns; every
request goes through OpenERP's WSGI application, without sockets and HTTP
servers, so what differs is ours: the comparison of the signaling sequences, the
version of the user's row, the shared ormcache. The median of the rounds counts.
Prints a Markdown table. A private PostgreSQL and Redis; takes about a minute.
"""
import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'tests'), os.path.join(HERE, '..', 'tests', 'seams')]

from testbed import golden, service, session  # noqa: E402
from testbed.node import write_secret_key  # noqa: E402
from testbed.postgres import Postgres  # noqa: E402
from testbed.redis_server import RedisServer  # noqa: E402
from workers import Worker  # noqa: E402

#: (what, model, method, arguments, calls per round)
CASES = [
    ("a cached answer: context_get", 'res.users', 'context_get', [], 200),
    ("search of all partners", 'res.partner', 'search', [[]], 100),
    ("read of one sale order", 'sale.order', 'read', [[1], ['name', 'state']], 100),
    ("write of a partner", 'res.partner', 'write', [[1], {'comment': 'x'}], 20),
    ("write that clears caches", 'ir.config_parameter', 'set_param', ['benchmark', 'x'], 20),
]
TIMED = """
import time, __main__
parameters = __import__('json').loads(%r)
begun = time.time()
for _ in range(%d):
    __main__.call(host, 'object', 'execute', parameters)
answer = (time.time() - begun) / %d
"""


def measure(workers, rounds):
    """{kind: {case: [seconds per call]}}; the first round, which fills the caches, is left out."""
    found = dict((kind, dict((case[0], []) for case in CASES)) for kind in workers)
    for number in range(rounds + 1):
        for what, model, method, arguments, calls in CASES:
            for kind, worker in sorted(workers.items(), reverse=bool(number % 2)):
                code = TIMED % (json.dumps([worker.database, 1, 'admin', model, method] + arguments),
                                calls, calls)
                seconds = worker.run(code)
                if number:
                    found[kind][what].append(seconds)
    return found


def table(found):
    """[{what, stock_us, ours_us, ratio}]"""
    def median(kind, what):
        each = sorted(found[kind][what])
        return each[len(each) // 2] * 1e6
    return [{'what': what, 'stock_us': round(median('stock', what)), 'ours_us': round(median('ours', what)),
             'ratio': round(median('ours', what) / median('stock', what), 3)}
            for what in (case[0] for case in CASES)]


def run(rounds):
    """Start everything, measure, stop everything; the rows of the table."""
    session.begin()
    try:
        postgres = Postgres(session.fresh_folder('postgres'), golden.data()).start()
        redis = RedisServer(session.fresh_folder('redis')).start()
        key_file = write_secret_key(os.path.join(session.fresh_folder('key'), 'key'))
        workers = {}
        for kind in ('ours', 'stock'):
            name = postgres.create_database('rpc_cost_%s' % kind, 'tpl_full')
            workers[kind] = Worker(kind, name, postgres, *([redis.url, key_file] if kind == 'ours' else []))
        for worker in workers.values():
            worker.wait_until_ready()
        rows = table(measure(workers, rounds))
        for worker in workers.values():
            worker.stop()
        return rows
    finally:
        service.kill_all_services()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--json', metavar='FILE', help="write the rows there, too")
    parser.add_argument('--rounds', type=int, default=15)
    arguments = parser.parse_args()
    rows = run(arguments.rounds)
    print("| one RPC in a worker | stock, us | ours, us | ours / stock |\n|---|---|---|---|")
    for row in rows:
        print("| %(what)s | %(stock_us)d | %(ours_us)d | %(ratio).2f |" % row)
    if arguments.json:
        with open(arguments.json, 'w') as stream:
            json.dump({'rpc_cost': rows}, stream, indent=2, sort_keys=True)


if __name__ == '__main__':
    main()
