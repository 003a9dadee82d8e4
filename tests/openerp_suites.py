#!/usr/bin/env python3
"""Run OpenERP's own tests under stock OpenERP and under our launcher, and compare what they say.

    cd tests && python3 openerp_suites.py [module,module,...]

Installs the modules with --test-enable into a database of its own, once with
openerp-server and once with oe-cluster-launch, on a private PostgreSQL and
Redis. Every line of level TEST, ERROR or CRITICAL is compared, without what
differs by nature (times, process ids, database names, addresses). Exit code 1
when there is any difference. Takes some minutes.
"""
import collections
import os
import re
import sys

from testbed import account, node, paths, session
from testbed.postgres import Postgres
from testbed.redis_server import RedisServer

MODULES = 'base,mail,product,sale,purchase,account,crm,hr,stock'
LINE = re.compile(r'^\S+ \S+ \d+ (TEST|ERROR|CRITICAL) \S+ (\S+): (.*)$')
BY_NATURE = re.compile(r'0x[0-9a-f]+|\d+\.\d+ ?s(econds)?\b|in \d[\d.]*s|'
                       r'\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?|suites_(stock|ours)')


def findings(log):
    """What the tests of one run said, with how often they said it."""
    found = collections.Counter()
    with open(log, errors='replace') as lines:
        for line in lines:
            match = LINE.match(line)
            if match and not match.group(2).startswith('oe_cluster_launch'):
                found['%s %s: %s' % (match.group(1), match.group(2),
                                     BY_NATURE.sub('#', match.group(3)))] += 1
    return found


def run(kind, server, redis, modules, folder):
    """Install with tests; the path of the log."""
    database, log = 'suites_' + kind, os.path.join(folder, kind + '.log')
    server.create_database(database)
    options = {'log_level': 'test', 'admin_passwd': 'admin', 'xmlrpc': False, 'netrpc': False}
    arguments = ['-d', database, '-i', modules, '--test-enable', '--stop-after-init', '--max-cron-threads=0']
    if kind == 'stock':
        process = node.StockServer(kind, os.path.join(folder, kind), server, arguments, options=options)
    else:
        process = node.NodeProcess('a', os.path.join(folder, kind), server, redis.url,
                                   node.write_secret_key(os.path.join(folder, 'key')), arguments=arguments,
                                   options=options)
    process.configure()
    open(log, 'w').close()
    code, _printed = account.run(process.command(), process.folder, log, **process.environment)
    print("%s: exit code %d, log %s" % (kind, code, log))
    return log


def main(modules=MODULES):
    session.begin()
    folder = account.folder(paths.state('suites'))
    with Postgres(session.fresh_folder('postgres')) as server, \
            RedisServer(session.fresh_folder('redis')) as redis:
        server.start()
        redis.start()
        server.create_role()
        stock, ours = [findings(run(kind, server, redis, modules, folder)) for kind in ('stock', 'ours')]
    for name, only in (('stock', stock - ours), ('ours', ours - stock)):
        for line, count in sorted(only.items()):
            print("only under %s (%d times): %s" % (name, count, line))
    errors = sum(count for line, count in ours.items() if not line.startswith('TEST'))
    print("%d lines of tests in common, %d differ; %d errors under both"
          % (sum((stock & ours).values()), sum(((stock - ours) + (ours - stock)).values()), errors))
    return 1 if stock != ours else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
