# -*- coding: utf-8 -*-
"""Writes docs/reference.md from the code: settings, commands, exit codes, Redis keys.

    python3 docs/generate_reference.py > docs/reference.md

tests/unit/test_reference.py fails when the committed page differs.
"""
from __future__ import print_function

import argparse
import inspect
import io
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from oe_cluster_launch import cli, errors  # noqa: E402
from oe_cluster_launch.check.table import CHECKS  # noqa: E402
from oe_cluster_launch.metrics import table as metrics_table  # noqa: E402
from oe_cluster_launch.settings import TABLE  # noqa: E402
from oe_cluster_launch.store.keys import Keys  # noqa: E402
from oe_cluster_launch.supervisor import figures  # noqa: E402
from oe_cluster_launch.supervisor.board import COUNTERS  # noqa: E402
from oe_cluster_launch.supervisor.health import NodeHealth  # noqa: E402
from oe_cluster_launch.supervisor.signals import MEANINGS  # noqa: E402
from oe_cluster_launch.supervisor.status_routes import StatusRoutes  # noqa: E402


def cell(text):
    return (text or '').replace('|', '\\|')


def settings():
    yield '## Settings\n'
    yield ('Section `[cluster]` of node.conf. Each is also an environment variable, `OE_CLUSTER_` and its\n'
           'name in capitals; the environment wins over the file. `oe-cluster-launch config` shows the\n'
           'values in force and where each comes from. OpenERP\'s own options stay in `[options]`.\n')
    group = None
    for row in TABLE:
        if row.group != group:
            group = row.group
            yield '### %s\n' % group.capitalize()
            yield '| setting | default | meaning |\n|---|---|---|'
        accepts = row.kind.accepts if row.kind.accepts != 'any text' else ''
        words = [row.help, accepts and accepts[0].upper() + accepts[1:] + '.']
        if row.aliases:
            words.append('Also: %s.' % ', '.join('`%s`' % alias for alias in row.aliases))
        yield '| `%s` | %s | %s |' % (row.name, '`%s`' % row.default if row.default else '',
                                      cell(' '.join(word for word in words if word)))


def commands():
    yield '\n## Commands\n'
    yield '`oe-cluster-launch -c node.conf [openerp-server options]` starts the node. All others:\n'
    yield '| command | options | what it does |\n|---|---|---|'
    for name, module in sorted(cli.subcommands().items()):
        parser = argparse.ArgumentParser(prog=name, add_help=False)
        module.add_arguments(parser)
        yield command_row(name, parser, module.HELP)
        for action in actions_of(parser):
            own = parser_of_action(parser, action.dest)
            yield command_row('%s %s' % (name, action.dest), own, action.help)


def command_row(name, parser, words):
    usage = ' '.join(parser.format_usage().replace('usage: ', '').split())
    options = usage[len(parser.prog):].replace('[-c FILE]', '').replace('[-h]', '')
    options = ' '.join(options.split())
    return '| `%s` | %s | %s |' % (name, '`%s`' % cell(options) if options else '', cell(words))


def actions_of(parser):
    """What stands behind the command's name, such as `rotate` behind `key`, with its help."""
    return [choice for kind in parser._actions if isinstance(kind, argparse._SubParsersAction)
            for choice in kind._choices_actions]


def parser_of_action(parser, name):
    return next(kind.choices[name] for kind in parser._actions
                if isinstance(kind, argparse._SubParsersAction))


def pages():
    yield '\n## Pages\n'
    yield 'What a node answers to those in `status_networks`, at `status_port` and at its HTTP port.\n'
    yield '| path | what it tells |\n|---|---|'
    routes = Routes()
    NodeHealth(None, None).add_to(routes)
    StatusRoutes.__new__(StatusRoutes).add_to(routes)  # without a node: nobody is asked
    figures.add_to(routes)
    for path, function in routes.found:
        yield '| `%s` | %s |' % (path, cell(' '.join(inspect.getdoc(function).split())))


class Routes(object):
    """Takes what would be given to health.endpoints.Endpoints."""

    def __init__(self):
        self.found = []

    def add(self, path, function, quick=False):
        self.found.append((path, function))


def checks():
    yield '\n## Checks\n'
    yield ('What `oe-cluster-launch check` looks at, in its order. Its exit code is 0 when nothing failed,\n'
           '1 when something did (with `--strict` also for warnings), 64 for a wrong command line. Those\n'
           'marked keep a node from starting, and are all that `oe-cluster-launch --check` looks at; that\n'
           'ends with 78 when one failed.\n')
    yield '| check | what must hold | to start |\n|---|---|---|'
    for row in CHECKS:
        yield '| %s: %s | %s | %s |' % (row.area, row.name, cell(inspect.getdoc(row.function).split('\n')[0]),
                                        'x' if row.at_start else '')


def exit_codes():
    yield '\n## Exit codes\n'
    yield 'Those of sysexits.h. systemd restarts on all but 64, 77 and 78.\n'
    yield '| code | name | when |\n|---|---|---|'
    with io.open(inspect.getsourcefile(errors), encoding='utf-8') as source:
        for line in source:
            if line.startswith('EXIT_'):
                name, _, rest = line.partition('=')
                number, _, why = rest.partition('#')
                yield '| %s | `%s` | %s |' % (number.strip(), name.strip(), why.strip() or 'all is well')


def signals():
    yield '\n## Signals\n'
    yield 'The node is the first process: the pid in `pidfile`, systemd\'s main process.\n'
    yield '| signal | to | what it does |\n|---|---|---|'
    for row in MEANINGS:
        yield '| %s | %s | %s |' % row


def counters():
    yield '\n## Counters\n'
    yield 'Of one node; they start at zero with each master.\n'
    yield '| counter | what it counts |\n|---|---|'
    for row in COUNTERS:
        yield '| `%s` | %s |' % row


def metrics():
    yield '\n## Metrics\n'
    yield ('At `/_cluster/metrics` of the status port and of the main port, in Prometheus\' text format.\n'
           'Of one node, over all its processes; counters go on over a reload and start at zero with the\n'
           'node. A label has the values listed and no others, whatever clients send. `conf/` has a scrape\n'
           'configuration, alert rules and a dashboard.\n')
    yield '| metric | type | labels | meaning |\n|---|---|---|---|'
    for family in metrics_table.SHOWN:
        labels = '; '.join('%s: %s' % (name, ', '.join(values)) if values else name
                           for name, values in family.labels)
        yield '| `%s` | %s | %s | %s |' % (family.name, family.type, cell(labels), cell(family.meaning))


def redis_keys():
    yield '\n## Redis keys\n'
    yield 'All start with `redis_prefix`; grant an ACL user `~PREFIX:*`.\n'
    yield '| family | what it holds |\n|---|---|'
    for name, member in sorted(vars(Keys).items()):
        if name.startswith('_') or name.endswith(('_start', '_pattern', '_of')):
            continue
        text = inspect.getdoc(member.fget if isinstance(member, property) else member)
        if text:
            yield '| `%s` | %s |' % (name, cell(text.split('\n')[0]))


def page():
    """The whole page as text."""
    lines = ['# Reference', '', 'Generated from the code by docs/generate_reference.py: do not edit.', '']
    for section in (settings, commands, checks, pages, signals, exit_codes, counters, metrics, redis_keys):
        lines.extend(section())
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    print(page(), end='')
