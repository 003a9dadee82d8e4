# -*- coding: utf-8 -*-
"""`oe-cluster-launch history`: which node led cron when, and why it ended."""
import sys
import time

from oe_cluster_launch.cluster import listing
from oe_cluster_launch.compat import native
from oe_cluster_launch.cron.control import Control
from oe_cluster_launch.errors import EXIT_OK
from oe_cluster_launch.store import Store

NAME = 'history'
HELP = "which node led cron when, and why it ended"
COLUMNS = ('term', 'node', 'since', 'until', 'led for', 'why it ended')


def add_arguments(parser):
    parser.add_argument('-f', '--format', choices=('table', 'json', 'tsv'), default='table')
    parser.add_argument('-n', '--lines', type=int, default=20, help="how many, newest last (20)")


def run(arguments, settings):
    tenures = list(reversed(Control(Store(settings)).history()[:arguments.lines]))
    if arguments.format == 'json':
        text = listing.as_json(tenures)
    else:
        rows = [row_of(tenure) for tenure in tenures]
        text = (listing.tsv(COLUMNS, rows) if arguments.format == 'tsv' else
                listing.boxed("leaders of cluster %s" % settings.redis_prefix, COLUMNS, rows))
    sys.stdout.write(native(text) + '\n')
    return EXIT_OK


def row_of(tenure):
    """One tenure as texts, times in this machine's zone by the Redis server's clock."""
    until = tenure.get('until_ms')
    return {
        'term': tenure['term'], 'node': tenure['node'], 'since': _moment(tenure['since_ms']),
        'until': _moment(until) if until else 'now',
        'led for': listing.duration(((until or time.time() * 1000) - tenure['since_ms']) / 1000.0),
        'why it ended': tenure.get('why', ''),
    }


def _moment(milliseconds):
    return time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(milliseconds / 1000.0))
