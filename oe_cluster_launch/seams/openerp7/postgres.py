# -*- coding: utf-8 -*-
"""Our own PostgreSQL connections, beside OpenERP's pool.

For what must not share a transaction or a life with OpenERP's cursors: the
boot check, and locks that end with their connection. Never kept over a fork.
"""
import psycopg2
import psycopg2.extensions

from oe_cluster_launch.errors import Fault, PostgresUnavailable

#: seconds to wait for a connection
CONNECT_TIMEOUT = 5


def connect(config, database):
    """A connection of our own, in autocommit mode, named in pg_stat_activity.

    :raises PostgresUnavailable: naming the server, the database and the remedy
    """
    parameters = {name: config['db_%s' % name]
                      for name in ('host', 'port', 'user', 'password') if config['db_%s' % name]}
    try:
        connection = psycopg2.connect(
            dbname=database, connect_timeout=CONNECT_TIMEOUT,
            application_name='oe-cluster-launch', **parameters)
    except psycopg2.OperationalError as error:
        raise PostgresUnavailable(
            "PostgreSQL at %s:%s refused database %s for user %s: %s. "
            "Remedy: check db_host, db_port, db_user, db_password and that the database exists."
            % (config['db_host'] or 'the local socket', config['db_port'] or 5432, database,
               config['db_user'], ' '.join(str(error).split())))
    connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
    return connection


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
