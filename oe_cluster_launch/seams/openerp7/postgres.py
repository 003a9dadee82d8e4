# -*- coding: utf-8 -*-
"""Our own PostgreSQL connections, beside OpenERP's pool.

For what must not share a transaction or a life with OpenERP's cursors: the
boot check, and locks that end with their connection. Never kept over a fork.
"""
import select
import socket

import psycopg2
import psycopg2.extensions

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.errors import Fault, PostgresUnavailable

#: seconds to wait for a connection
CONNECT_TIMEOUT = 5
#: the other side has hung up (Linux; Python 2 has no name for it)
_POLLRDHUP = 0x2000
#: the type of PostgreSQL's ErrorResponse. Outside of a statement it is always a farewell
_ERROR_RESPONSE = b'E'


def connect(config, database):
    """A connection of our own, in autocommit mode, named in pg_stat_activity.

    :raises PostgresUnavailable: naming the server, the database and the remedy
    """
    try:
        connection = psycopg2.connect(**_parameters(config, database))
    except psycopg2.OperationalError as error:
        raise PostgresUnavailable(
            "PostgreSQL at %s refused database %s for user %s: %s. "
            "Remedy: check db_host, db_port, db_user, db_password and that the database exists."
            % (_place(config), database, config['db_user'], ' '.join(str(error).split())))
    connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
    return connection


def probe(config, database, seconds):
    """Connect, SELECT 1, close: in so many seconds at most, apart from resolving a name.

    A connection is not kept: it would be in the way of whoever drops or copies the database.

    :raises PostgresUnavailable: it did not answer, or not in time
    """
    until = monotonic() + seconds
    connection = None
    try:
        connection = psycopg2.connect(**dict(_parameters(config, database), **{'async': 1}))
        _wait(connection, until)
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        _wait(connection, until)
    except psycopg2.Error as error:
        raise PostgresUnavailable("PostgreSQL at %s, database %s: %s"
                                  % (_place(config), database, ' '.join(str(error).split())))
    finally:
        if connection is not None:
            connection.close()


def _wait(connection, until):
    """Let libpq go on until it is done, or the time is over."""
    while True:
        state = connection.poll()
        if state == psycopg2.extensions.POLL_OK:
            return
        left = until - monotonic()
        wanted = [connection.fileno()]
        reading = state == psycopg2.extensions.POLL_READ
        if left <= 0 or not any(select.select(
                wanted if reading else [], [] if reading else wanted, [], left)):
            raise psycopg2.OperationalError("no answer in time")


def _parameters(config, database):
    given = {name: config['db_%s' % name]
             for name in ('host', 'port', 'user', 'password') if config['db_%s' % name]}
    return dict(given, dbname=database, connect_timeout=CONNECT_TIMEOUT, application_name='oe-cluster-launch')


def _place(config):
    return '%s:%s' % (config['db_host'] or 'the local socket', config['db_port'] or 5432)


def has_ended(connection):
    """Whether the server is known to have ended a connection. Asks this machine's kernel only.

    Between two statements, on any connection of psycopg2. A False may be out of date at once.
    """
    if connection.closed:
        return True
    for _descriptor, events in (getattr(connection, 'poller', None) or poller(connection)).poll(0):
        if events & ~select.POLLIN:
            return True
        # under TLS the type cannot be read; the end of the connection follows in a moment
        return _next_byte(connection.fileno()) in (b'', _ERROR_RESPONSE)
    return False


def poller(connection):
    """What has_ended() asks; a connection that is asked often keeps it as its `poller`."""
    made = select.poll()
    made.register(connection.fileno(), select.POLLIN | _POLLRDHUP)
    return made


def _next_byte(descriptor):
    """What can be read next, left there."""
    copy = socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM)
    try:
        return copy.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except socket.error:
        return None
    finally:
        copy.close()


def is_initialized(connection):
    """Whether OpenERP has ever been installed into this database."""
    cursor = connection.cursor()
    cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = 'ir_module_module'")
    return bool(cursor.fetchall())


def registry_sequence(config, database):
    """The last value of OpenERP's registry signaling sequence.

    :raises PostgresUnavailable: it cannot be asked
    """
    connection = connect(config, database)
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT last_value FROM base_registry_signaling")
        return cursor.fetchone()[0]
    except psycopg2.Error as error:
        raise PostgresUnavailable("Database %s has no registry sequence: %s" % (database, error))
    finally:
        connection.close()


def faults(config, databases):
    """A fault per database that cannot be opened."""
    found = []
    for database in databases or ['template1']:
        try:
            connect(config, database).close()
        except PostgresUnavailable as error:
            found.append(Fault('db_name', database, str(error), "Then run the check again"))
    return found
