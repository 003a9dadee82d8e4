# -*- coding: utf-8 -*-
"""`oe-cluster-launch config`: every setting with its value, origin, default, unit and meaning."""
import json
import sys

from oe_cluster_launch.errors import EXIT_OK
from oe_cluster_launch.settings import TABLE

NAME = 'config'
HELP = "print every [cluster] setting: value, origin, default, unit"
COLUMNS = ('setting', 'value', 'unit', 'origin', 'default', 'environment')


def add_arguments(parser):
    parser.add_argument('-f', '--format', choices=('table', 'json'), default='table')


def rows(settings):
    """One dictionary per setting, secrets masked."""
    for row in TABLE:
        yield {
            'setting': row.name,
            'value': settings.shown(row.name),
            'unit': row.kind.unit,
            'origin': settings.origin(row.name),
            'default': row.default or '',
            'environment': ' '.join((row.environment_name,) + tuple(row.aliases)),
            'help': row.help,
        }


def run(arguments, settings):
    found = list(rows(settings))
    if arguments.format == 'json':
        sys.stdout.write(json.dumps(found, indent=2, sort_keys=True) + '\n')
        return EXIT_OK
    widths = [max([len(name)] + [len(row[name]) for row in found]) for name in COLUMNS]
    for row in [{name: name for name in COLUMNS}] + found:
        line = '  '.join(row[name].ljust(width) for name, width in zip(COLUMNS, widths))
        sys.stdout.write(line.rstrip() + '\n')
    return EXIT_OK
