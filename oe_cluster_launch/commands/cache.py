# -*- coding: utf-8 -*-
"""`oe-cluster-launch cache`: how well the ormcache does, and how to empty it everywhere.

`flush` moves the database's signaling sequence, as a change of cached data
would: every worker of every node forgets its answers at its next request. For
use after the database was restored or changed behind OpenERP's back.
"""
import argparse
import json
import os
import sys

from oe_cluster_launch import compat
from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import EXIT_OK, UsageError
from oe_cluster_launch.ormcache import overview
from oe_cluster_launch.store import Store

NAME = 'cache'
HELP = "show the ormcache's statistics, or flush it on every node"
_LOOKUPS = ('entries', 'local', 'local_rate', 'shared', 'shared_rate', 'computed')
NODE_COLUMNS = ('node', 'database', 'workers') + _LOOKUPS
WORKER_COLUMNS = ('node', 'process', 'database') + _LOOKUPS + ('generation',)
LOG_COLUMNS = ('database', 'generation', 'batches', 'bytes', 'ends_in')


def add_arguments(parser):
    actions = parser.add_subparsers(dest='action', metavar='stats|flush')
    actions.required = True
    stats = _action(actions, 'stats', "hit rates, entries and bytes per node, worker and database")
    stats.add_argument('-f', '--format', choices=('table', 'json'), default='table')
    stats.add_argument('--db', metavar='DATABASE', help="only this database")
    flush = _action(actions, 'flush', "every worker of every node forgets its answers")
    flush.add_argument('--db', metavar='DATABASE', help="this database (default: those of db_name)")


def _action(actions, name, help):
    parser = actions.add_parser(name, help=help, description=help)
    parser.add_argument('-c', '--config', metavar='FILE', default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


def run(arguments, settings):
    return {'stats': stats, 'flush': flush}[arguments.action](arguments, settings)


def stats(arguments, settings):
    store = Store(settings)
    workers = overview.workers(store, arguments.db)
    nodes, logs = overview.nodes(workers), overview.logs(store, arguments.db)
    if arguments.format == 'json':
        sys.stdout.write(json.dumps({'nodes': nodes, 'workers': workers, 'logs': logs},
                                    indent=2, sort_keys=True) + '\n')
        return EXIT_OK
    _print_table("Nodes: lookups answered by the worker itself, of the others by Redis, and computed",
                 NODE_COLUMNS, nodes)
    _print_table("Workers, as they last reported", WORKER_COLUMNS, workers)
    _print_table("Shared answers in Redis", LOG_COLUMNS, logs)
    return EXIT_OK


def _print_table(title, columns, rows):
    sys.stdout.write('%s\n' % title)
    table = [columns] + [[_shown(row[column]) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table)]
    for row in table:
        sys.stdout.write('  ' + '  '.join(map(_padded, row, widths)).rstrip() + '\n')


def _padded(cell, width):
    return native(cell).ljust(width)


def _shown(value):
    if value is None:
        return '-'
    return '%.1f' % value if isinstance(value, float) else '%s' % value


def flush(arguments, settings):
    config = _database_options(arguments.config)
    names = [arguments.db] if arguments.db else _names(config['db_name'])
    if not names:
        raise UsageError("Which database? Add --db NAME, or set db_name in [options].")
    store = Store(settings)
    for name in names:
        _move_sequence(config, name)
        dropped = overview.drop(store, name)
        sys.stdout.write("%s: every worker forgets its answers at its next request; %d logs dropped\n"
                         % (name, dropped))
    return EXIT_OK


def _database_options(path):
    """OpenERP's options for reaching PostgreSQL, from the node's file; absent ones are False."""
    names = ('db_host', 'db_port', 'db_user', 'db_password', 'db_name')
    parser = compat.read_ini(path) if path and os.path.exists(path) else None
    if parser is None or not parser.has_section('options'):
        return dict.fromkeys(names, False)
    given = dict((name, parser.get('options', name)) for name in names if parser.has_option('options', name))
    return dict((name, given.get(name) if given.get(name) not in ('False', 'None', '') else False)
                for name in names)


def _names(text):
    return [name.strip() for name in (text or '').split(',') if name.strip()]


def _move_sequence(config, name):
    """Tell every worker that cached answers of this database changed."""
    from oe_cluster_launch.seams.openerp7 import postgres
    connection = postgres.connect(config, name)
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT relname FROM pg_class "
                       "WHERE relkind = 'S' AND relname = 'base_cache_signaling'")
        if not cursor.fetchall():
            raise UsageError("Database %s has never been loaded by a node: there is nothing to flush." % name)
        cursor.execute("SELECT nextval('base_cache_signaling')")
    finally:
        connection.close()
