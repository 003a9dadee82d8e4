# -*- coding: utf-8 -*-
"""`oe-cluster-launch check`: the doctor. Everything a node stands on, with a remedy for what is wrong.

Works before the node has ever run and while it runs, as root or as the node's
user. Exit code 0: nothing failed; 1: something failed, or with --strict
something is to be warned of. `oe-cluster-launch --check` is the part of it that
tells whether the node may start.
"""
import itertools
import sys

from oe_cluster_launch.check import report
from oe_cluster_launch.check.context import Context
from oe_cluster_launch.check.result import FAIL, WARN
from oe_cluster_launch.check.runner import run_all
from oe_cluster_launch.check.table import CHECKS
from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import EXIT_FAILURE, EXIT_OK, UsageError

NAME = 'check'
HELP = "examine this node and what it stands on: exit code 1 when something fails"
#: wrong settings are findings among others here
READS_SETTINGS = False


def add_arguments(parser):
    parser.add_argument('-f', '--format', choices=('table', 'json'), default='table')
    parser.add_argument('--strict', action='store_true', help="exit code 1 for warnings, too")
    parser.add_argument('--nginx', metavar='URL', help="also try the way that browsers take, "
                        "such as https://erp.example.com")
    parser.add_argument('--nodes', metavar='N', type=int, help="count connections for so many nodes "
                        "(default: those that run, and this one)")
    parser.add_argument('host_arguments', nargs='*', metavar='OPTION', help="options of openerp-server, "
                        "behind --")


def run(arguments, settings):
    """Prints each area as soon as it is known."""
    if arguments.nginx and not arguments.nginx.startswith(('http://', 'https://')):
        raise UsageError("--nginx %s: give a URL that starts with http:// or https://." % arguments.nginx)
    if arguments.nodes is not None and arguments.nodes < 1:
        raise UsageError("--nodes %d: there is at least one node." % arguments.nodes)
    host_arguments = (['-c', arguments.config] if arguments.config else []) + list(arguments.host_arguments)
    context = Context(arguments.config, host_arguments, arguments.nginx, arguments.nodes)
    outcomes = []
    for area, of_area in itertools.groupby(run_all(CHECKS, context), lambda outcome: outcome.check.area):
        of_area = list(of_area)
        outcomes.extend(of_area)
        if arguments.format == 'table':
            _print('\n'.join(report.area_lines(area, of_area)))
    code = exit_code(report.counts(outcomes), arguments.strict)
    _print(report.as_json(outcomes, code) if arguments.format == 'json' else report.summary(outcomes))
    return code


def exit_code(counts, strict):
    return EXIT_FAILURE if counts[FAIL] or (strict and counts[WARN]) else EXIT_OK


def _print(text):
    sys.stdout.write(native(text) + '\n')
    sys.stdout.flush()
