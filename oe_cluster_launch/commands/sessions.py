# -*- coding: utf-8 -*-
"""`oe-cluster-launch sessions`: who is signed in, and an end to it.

Session ids are passwords and are not shown; a session is named by the first
digits of its id's digest, or by the id for those who have it.
"""
import argparse
import json
import os
import sys
import time

from oe_cluster_launch import privileges
from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import EXIT_FAILURE, EXIT_OK, UsageError
from oe_cluster_launch.sealing import Sealing
from oe_cluster_launch.sessions.import_files import IMPORTED, OUTCOMES, UNREADABLE, FileImport
from oe_cluster_launch.sessions.index import SessionIndex
from oe_cluster_launch.sessions.store import RedisSessionStore
from oe_cluster_launch.store import Store

NAME = 'sessions'
HELP = "list, show, revoke or import web sessions"
COLUMNS = ('session', 'database', 'uid', 'login', 'created', 'idle', 'ends_in')


def add_arguments(parser):
    actions = parser.add_subparsers(dest='action', metavar='list|show|revoke|import')
    actions.required = True
    listing = _action(actions, 'list', "who is signed in")
    listing.add_argument('--db', metavar='DATABASE', help="only this database")
    listing.add_argument('--login', help="only this login")
    show = _action(actions, 'show', "one session; its values are named, not shown")
    show.add_argument('session', metavar='ID', help="as `list` shows it, or the id itself")
    revoke = _action(actions, 'revoke', "end sessions; holds on every node from the next request")
    revoke.add_argument('session', metavar='ID', nargs='?')
    revoke.add_argument('--db', metavar='DATABASE', help="every session in this database")
    revoke.add_argument('--login', help="every session of this login")
    revoke.add_argument('--all', action='store_true', help="every session")
    importing = _action(actions, 'import', "take over the session files of stock OpenERP; deletes nothing")
    importing.add_argument('path', metavar='FOLDER', help="such as /tmp/oe-sessions-openerp")


def _action(actions, name, help):
    parser = actions.add_parser(name, help=help, description=help)
    parser.add_argument('-f', '--format', choices=('table', 'json'), default='table')
    parser.add_argument('-c', '--config', metavar='FILE', default=argparse.SUPPRESS,
                        help=argparse.SUPPRESS)
    return parser


def run(arguments, settings):
    actions = {'list': list_sessions, 'show': show, 'revoke': revoke, 'import': import_folder}
    return actions[arguments.action](arguments, settings)


def list_sessions(arguments, settings):
    index = _index(settings)
    found = index.find(arguments.db, arguments.login)
    rows = [row for listed in found for row in _rows(listed, settings)]
    rows.sort(key=lambda row: (row['database'] or '', row['login'] or '', row['session']))
    if arguments.format == 'json':
        _print_json(rows)
    else:
        _print_table(rows)
    return EXIT_OK


def show(arguments, settings):
    listed = _find_one(_index(settings), arguments.session)
    if listed is None:
        return _no_such_session(arguments.session)
    rows = list(_rows(listed, settings))
    told = {'session': listed.handle, 'created': rows[0]['created'], 'idle_seconds': rows[0]['idle_seconds'],
            'ends_in_seconds': rows[0]['ends_in_seconds'], 'readable': listed.readable,
            'values': listed.values,
            'users': [{'database': user.database, 'uid': user.uid, 'login': user.login}
                      for user in listed.users]}
    if arguments.format == 'json':
        _print_json(told)
    else:
        for name in sorted(told):
            value = told[name]
            _print("%-16s %s" % (name, json.dumps(value) if isinstance(value, list) else value))
    return EXIT_OK


def revoke(arguments, settings):
    """End what was named; an ID that does not exist is an error, a login without sessions is not."""
    wide = arguments.all or arguments.login is not None or arguments.db is not None
    if bool(arguments.session) == bool(wide):
        raise UsageError("sessions revoke takes an ID, or --login and/or --db, or --all.")
    index = _index(settings)
    if arguments.session:
        listed = _find_one(index, arguments.session)
        if listed is None:
            return _no_such_session(arguments.session)
        ended = int(_sessions(settings).end(listed.session_id))
    else:
        ended = index.end_found(arguments.db, arguments.login)
    if arguments.format == 'json':
        _print_json({'revoked': ended})
    else:
        _print("%d session%s revoked" % (ended, '' if ended == 1 else 's'))
    return EXIT_OK


def import_folder(arguments, settings):
    """Needs OpenERP, whose session class is in the files, and runs as the user of the node."""
    if not os.path.isdir(arguments.path):
        raise UsageError("%s is no folder." % arguments.path)
    privileges.drop(settings)
    importer = FileImport(Store(settings), _host_sessions(arguments, settings), settings.session_ttl)
    outcomes = list(importer.run(arguments.path, time.time()))
    counts = dict((name, sum(1 for _, outcome in outcomes if outcome == name)) for name in OUTCOMES)
    if arguments.format == 'json':
        _print_json(counts)
    else:
        for name in OUTCOMES:
            _print("%6d %s" % (counts[name], name))
        for name, outcome in outcomes:
            if outcome == UNREADABLE:
                _print("unreadable: %s" % name)
    return EXIT_OK if counts[IMPORTED] or not counts[UNREADABLE] else EXIT_FAILURE


def _host_sessions(arguments, settings):
    from oe_cluster_launch.seams.openerp7.host import Host
    from oe_cluster_launch.seams.openerp7.sessions import make_store
    host = Host()
    host.refuse_root()
    host.read_options(['-c', arguments.config] if arguments.config else [])
    return make_store(Store(settings), Sealing(settings.secret_key_file), settings)


def _sessions(settings):
    return RedisSessionStore(Store(settings), Sealing(settings.secret_key_file), settings)


def _index(settings):
    return SessionIndex(Store(settings), _sessions(settings))


def _find_one(index, name):
    try:
        return index.find_one(name)
    except LookupError as error:
        raise UsageError("%s: give more digits." % error)


def _no_such_session(name):
    sys.stderr.write("oe-cluster-launch: there is no session %s\n" % name)
    return EXIT_FAILURE


def _rows(listed, settings):
    """One dictionary per user who is signed in in a session; one for a session without."""
    life = settings.session_ttl if listed.users else settings.session_anonymous_ttl
    for user in listed.users or [None]:
        yield {
            'session': listed.handle,
            'database': user.database if user else None,
            'uid': user.uid if user else None,
            'login': user.login if user else (None if listed.readable else '(sealed with another key)'),
            'created': _time(listed.created),
            'idle_seconds': int(max(0, life - listed.ends_in_seconds)),
            'ends_in_seconds': int(listed.ends_in_seconds),
        }


def _time(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds)) if seconds else None


def _span(seconds):
    """`3d 4h`, `5h 6m`, `7m`: the two largest units, for reading."""
    minutes = seconds // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return '%dd %dh' % (days, hours)
    return '%dh %dm' % (hours, minutes) if hours else '%dm' % minutes


def _print_table(rows):
    cells = [dict((name, name.replace('_', ' ')) for name in COLUMNS)]
    for row in rows:
        texts = dict(row, idle=_span(row['idle_seconds']), ends_in=_span(row['ends_in_seconds']))
        cells.append(dict((name, '-' if texts[name] is None else u'%s' % texts[name]) for name in COLUMNS))
    widths = [max(len(cell[name]) for cell in cells) for name in COLUMNS]
    for cell in cells:
        _print(u'  '.join(cell[name].ljust(width) for name, width in zip(COLUMNS, widths)).rstrip())


def _print_json(told):
    _print(json.dumps(told, indent=2, sort_keys=True))


def _print(text):
    sys.stdout.write(native(text) + '\n')
