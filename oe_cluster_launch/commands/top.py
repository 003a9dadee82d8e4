# -*- coding: utf-8 -*-
"""`oe-cluster-launch top`: what the status page shows, in a terminal."""
import sys
import time

from oe_cluster_launch.cluster.listing import as_json
from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import EXIT_OK, EXIT_UNAVAILABLE
from oe_cluster_launch.status import terminal
from oe_cluster_launch.status.facts import Facts
from oe_cluster_launch.store import Store

NAME = 'top'
HELP = "the cluster at a glance: nodes, load, cron, Redis, warnings"
#: cursor home; rest of the line; rest of the screen
_HOME, _END_OF_LINE, _END_OF_SCREEN = '\033[H', '\033[K', '\033[J'


def add_arguments(parser):
    parser.add_argument('-f', '--format', choices=('table', 'json'), default='table')
    parser.add_argument('-d', '--delay', type=float, default=2.0, metavar='SECONDS',
                        help="how often to look again (2 s), until Ctrl-C")
    parser.add_argument('-1', '--once', action='store_true', help="look once")


def run(arguments, settings):
    """Exit code 69 with --once when Redis cannot be reached."""
    facts = Facts(Store(settings))
    once = arguments.once or not sys.stdout.isatty()
    try:
        while True:
            found = facts.gather()
            text = as_json(found) if arguments.format == 'json' else terminal.render(found)
            sys.stdout.write(native(text if once else _on_screen(text)) + '\n')
            sys.stdout.flush()
            if once:
                return EXIT_UNAVAILABLE if found['redis']['error'] else EXIT_OK
            time.sleep(max(arguments.delay, 0.2))
    except KeyboardInterrupt:
        return EXIT_OK


def _on_screen(text):
    """Over what stands there, so that nothing flickers."""
    return _HOME + (_END_OF_LINE + '\n').join(text.split('\n')) + _END_OF_LINE + _END_OF_SCREEN
