# -*- coding: utf-8 -*-
"""A connection from OpenERP's pool is cleaned when its last user left something in its session.

OpenERP has psycopg2 send DISCARD ALL each time a connection is borrowed, which
is three or four times in a short RPC, for state that OpenERP itself never
leaves behind. Here every statement is looked at: what only reads or writes
rows leaves none; anything else, and any way round `execute`, is cleaned up
after as before. It also found dead connections: the kernel is asked instead,
and what it does not know yet shows at the first statement (transactions.py).

The statements that each request begins with are planned once per connection:
that takes PostgreSQL longer than to run them.
"""
import contextlib
import re
import sys

import psycopg2
from psycopg2 import errorcodes
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT

from oe_cluster_launch.compat import string_types
from oe_cluster_launch.seams.openerp7 import pool, postgres
from oe_cluster_launch.seams.openerp7.beginnings import beginning_connection
from oe_cluster_launch.seams.seam import BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Class

_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)
#: statements that end with their transaction, as far as they themselves are concerned
_PLAIN = re.compile(r'\s*(?:select|insert|update|delete|savepoint|release|rollback)\b', re.IGNORECASE)
#: what such a statement may yet hold that stays: several in one, functions that set something,
#: temporary tables. A word that only looks like it costs one DISCARD ALL.
_LEAVES_STATE = re.compile(
    r';|set_config|setseed|advisory|dblink|pg_temp|\blo_|\binto\s+(?:temp|temporary|local|global|unlogged)\b',
    re.IGNORECASE)
#: as many statements are remembered; there are fewer in practice, for OpenERP passes values apart
_MOST_REMEMBERED = 4096
#: statement -> leaves_state; looking at a long one takes as long as a short one takes to run
_remembered = {}
#: ways to the server that go past `execute`
_OTHER_WAYS = ('executemany', 'callproc', 'copy_from', 'copy_to', 'copy_expert')


def leaves_state(query):
    """Whether a statement may leave something in the session."""
    try:
        return _remembered[query]
    except (KeyError, TypeError):  # TypeError: what psycopg2 makes a statement of later
        return _look_at(query)


def _look_at(query):
    if not isinstance(query, (str, type(u''))):
        return True
    leaves = not _PLAIN.match(query) or _LEAVES_STATE.search(query) is not None
    if len(_remembered) >= _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[query] = leaves
    return leaves


@contextlib.contextmanager
def single_statements(database):
    """A cursor of a sql_db.Connection whose statements are a transaction each: one round trip, not three."""
    cursor = database.cursor()
    try:
        cursor._cnx.begin_autocommit()
        yield cursor
    finally:
        cursor.close()


class Prepared(object):
    """A statement of our own, one row, for fetch_prepared().

    :param types: of its parameters, `$1` and so on
    """

    def __init__(self, name, statement, types=()):
        self.name = name
        self.prepare = 'PREPARE %s %s AS %s' % (name, '(%s)' % ', '.join(types) if types else '', statement)
        self.execute = 'EXECUTE %s %s' % (name, '(%s)' % ', '.join(['%s'] * len(types)) if types else '')


def fetch_single(database, statement, values=()):
    """(the only row of a Prepared, identity of its connection), as a transaction of its own.

    A connection that lies in the pool of a sql_db.Connection is used as it is. When there is none,
    or it turns out to have ended, a cursor of OpenERP's makes one.
    """
    connection = pool.idle(database._pool, sys.modules['openerp.sql_db'].dsn(database.dbname))
    if connection is not None:
        try:
            connection.begin_autocommit()
            return connection.fetch_prepared(statement, values), connection.identify()
        except _LOST:
            if not connection.closed:
                raise
        finally:
            database._pool.give_back(connection)
    with single_statements(database) as cursor:
        return cursor.fetch_prepared(statement, values), cursor._cnx.identify()


def watched_cursor(factory):
    """A subclass of a psycopg2 cursor that tells its connection what leaves state behind."""
    class WatchedCursor(factory):

        def execute(self, query, *arguments):
            connection = self.connection
            if not connection.soiled and leaves_state(query):
                connection.soiled = True
            opening = connection.opening() if query.__class__ in string_types else ''
            if not opening:
                return super(WatchedCursor, self).execute(query, *arguments)
            try:
                return super(WatchedCursor, self).execute(opening + query, *arguments)
            except BaseException:
                connection.opening_failed()
                raise

    def soiling(name):
        def method(self, *arguments, **options):
            self.connection.soiled = True
            return getattr(super(WatchedCursor, self), name)(*arguments, **options)
        return method

    for name in _OTHER_WAYS:
        setattr(WatchedCursor, name, soiling(name))
    return WatchedCursor


def clean_connection(original, context):
    """OpenERP's connection class, whose reset() does only what is needed."""
    cursors = {}

    class CleanConnection(beginning_connection(original)):

        #: whether its session may hold what its last user left there
        soiled = False
        #: the words that the pool was asked for it with
        asked_for = None
        #: see identify()
        _identity = None

        def __init__(self, *arguments, **options):
            super(CleanConnection, self).__init__(*arguments, **options)
            self._prepared = set()
            self.poller = postgres.poller(self)

        def identify(self):
            """(oid of its database, start of its server), asked for once. In single_statements() alone.

            A connection outlives neither: a database cannot be dropped while somebody is connected.
            """
            if self._identity is None:
                cursor = super(CleanConnection, self).cursor()
                cursor.execute("SELECT oid, pg_postmaster_start_time()::text FROM pg_database "
                               "WHERE datname = current_database()")
                self._identity = cursor.fetchone()
            return self._identity

        def fetch_prepared(self, statement, values):
            """The only row of a Prepared. Not seen by the watch: whoever uses this knows what stays."""
            cursor = super(CleanConnection, self).cursor()
            try:
                self._prepare(cursor, statement)
                cursor.execute(statement.execute, values)
            except psycopg2.ProgrammingError as error:
                if error.pgcode != errorcodes.INVALID_SQL_STATEMENT_NAME:
                    raise
                self._prepared.clear()  # somebody has discarded it
                self._prepare(cursor, statement)
                cursor.execute(statement.execute, values)
            return cursor.fetchone()

        def _prepare(self, cursor, statement):
            if statement.name not in self._prepared:
                cursor.execute(statement.prepare)
                self._prepared.add(statement.name)

        def cursor(self, *arguments, **options):
            if arguments or options.get('name'):
                self.known_to_psycopg2()  # a named cursor insists on it
            factory = None if arguments else options.get('cursor_factory')
            if factory is None:
                self.soiled = True
            else:
                if factory not in cursors:
                    cursors[factory] = watched_cursor(factory)
                options['cursor_factory'] = cursors[factory]
            return super(CleanConnection, self).cursor(*arguments, **options)

        def set_isolation_level(self, level):
            if level == ISOLATION_LEVEL_AUTOCOMMIT:
                self.begin_autocommit()
            else:
                super(CleanConnection, self).set_isolation_level(level)

        def reset(self):
            if self.soiled or postgres.has_ended(self):
                self.rollback()
                super(CleanConnection, self).reset()
                self.soiled = False
                self._prepared.clear()

    CleanConnection.__name__ = original.__name__
    return CleanConnection


SEAMS = [
    Seam('pooled connection', 'openerp.sql_db', 'PsycoConnection', Class(), clean_connection,
         "every cursor would begin with DISCARD ALL, a round trip that costs as much as a short query",
         phase=BEFORE_ADDONS),
]
