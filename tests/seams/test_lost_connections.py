# -*- coding: utf-8 -*-
"""A pooled connection that another node ended is replaced; one that was used already is not."""
import psycopg2
import pytest

from oe_cluster_launch.seams.openerp7.transactions import cluster_cursor


@pytest.fixture
def cursor_of(host, postgres):
    """A function that opens a cursor of our class on a database."""
    wanted = dict(db_host=postgres.host, db_port=postgres.port, db_user=postgres.role)
    before = {name: host.config[name] for name in wanted}
    host.config.options.update(wanted)
    sql_db = host.openerp.sql_db
    kind = cluster_cursor(sql_db.Cursor, None)

    def open_cursor(database):
        return kind(sql_db.db_connect(database)._pool, database)
    yield open_cursor
    host.close_connections()
    host.config.options.update(before)


def end(postgres, cursor):
    postgres.query("SELECT pg_terminate_backend(%d)" % cursor._cnx.get_backend_pid())


def test_the_first_statement_finds_another_connection(cursor_of, postgres, database):
    name = database('tpl_base')
    cursor = cursor_of(name)
    end(postgres, cursor)
    cursor.execute("SELECT current_database()")
    assert cursor.fetchone() == (name,)
    cursor.execute("CREATE TABLE witness (number integer)")
    cursor.commit()
    cursor.close()
    assert postgres.query("SELECT count(*) FROM witness", name) == [['0']]
    again = cursor_of(name)  # the pool is whole
    again.execute("SELECT 1")
    again.close()


def test_a_transaction_that_has_begun_is_not_continued_elsewhere(cursor_of, postgres, database):
    cursor = cursor_of(database('tpl_base'))
    cursor.execute("SELECT 1")
    end(postgres, cursor)
    with pytest.raises(psycopg2.OperationalError):
        cursor.execute("SELECT 2")
    cursor.rollback()
    cursor.close()
