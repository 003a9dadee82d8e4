# -*- coding: utf-8 -*-
"""A pooled connection that another node ended is replaced; one that was used already is not."""
import socket

import psycopg2
import pytest

from oe_cluster_launch.seams.openerp7 import connections
from oe_cluster_launch.seams.openerp7.identity import asking_connection
from oe_cluster_launch.seams.openerp7.transactions import cluster_cursor


@pytest.fixture
def cursor_of(sql_db):
    """A function that opens a cursor of our class on a database."""
    kind = cluster_cursor(sql_db.Cursor, None)
    return lambda database: kind(sql_db.db_connect(database)._pool, database)


@pytest.fixture
def cut(host, monkeypatch):
    """A function: so many of the next connections are cut while they are made. Returns all that are made."""
    original, made, left = host.openerp.sql_db.PsycoConnection, [], []

    class CutConnection(original):
        def __init__(self, *args, **kwargs):
            super(CutConnection, self).__init__(*args, **kwargs)
            made.append(self)
            if left:
                left.pop()
                socket.fromfd(self.fileno(), socket.AF_INET, socket.SOCK_STREAM).shutdown(socket.SHUT_RDWR)

    def cut_next(number):
        left.extend([None] * number)
        return made
    monkeypatch.setattr(host.openerp.sql_db, 'PsycoConnection', asking_connection(CutConnection, None))
    return cut_next


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


def test_a_single_statement_is_a_transaction_on_another_connection_too(cursor_of, postgres, database):
    name = database('tpl_base')

    class Database(object):
        def cursor(self):
            return cursor_of(name)
    with connections.single_statements(Database()) as cursor:
        end(postgres, cursor)
        cursor.execute("CREATE TABLE single (number integer)")
    assert postgres.query("SELECT count(*) FROM single", name) == [['0']]


def test_a_prepared_statement_finds_another_connection(cursor_of, postgres, database):
    cursor = cursor_of(database('tpl_base'))
    end(postgres, cursor)
    one = connections.Prepared('one', 'SELECT 1')
    assert cursor.fetch_prepared(one) == (1,)
    end(postgres, cursor)
    with pytest.raises(psycopg2.OperationalError):
        cursor.fetch_prepared(one)
    cursor.close()


def test_a_single_fetch_finds_another_connection_when_its_own_ends_in_between(
        sql_db, cursor_of, postgres, database, monkeypatch):
    name = database('tpl_base')
    monkeypatch.setattr(sql_db, 'Cursor', lambda pool, dbname, serialized=True: cursor_of(dbname))
    place, one = sql_db.db_connect(name), connections.Prepared('one', 'SELECT 1')
    first = place._pool.borrow(sql_db.dsn(name))
    first.asked_for = sql_db.dsn(name)  # as the pool of nodes notes it
    place._pool.give_back(first)
    assert connections.fetch_single(place, one)[0] == (1,) and connections.pool.idle(
        place._pool, sql_db.dsn(name)) is first
    place._pool.give_back(first)
    postgres.query("SELECT pg_terminate_backend(%d)" % first.get_backend_pid())
    monkeypatch.setattr(connections.postgres, 'has_ended', lambda connection: False)  # nobody knows yet
    assert connections.fetch_single(place, one)[0] == (1,)
    assert first.closed


def test_a_transaction_that_has_begun_is_not_continued_elsewhere(cursor_of, postgres, database):
    cursor = cursor_of(database('tpl_base'))
    cursor.execute("SELECT 1")
    end(postgres, cursor)
    with pytest.raises(psycopg2.OperationalError):
        cursor.execute("SELECT 2")
    cursor.rollback()
    cursor.close()


def test_a_connection_that_is_cut_while_it_is_made_is_made_once_more(cursor_of, cut, database):
    """Without a word of PostgreSQL's: the error has no code that would tell."""
    name, made = database('tpl_base'), cut(1)
    cursor = cursor_of(name)
    cursor.execute("SELECT current_database()")
    assert cursor.fetchone() == (name,)
    cursor.close()
    assert len(made) == 2


def test_a_connection_that_cannot_be_made_is_not_tried_for_ever(cursor_of, cut, database):
    name, made = database('tpl_base'), cut(10)
    with pytest.raises(psycopg2.Error):
        cursor_of(name)
    assert len(made) == 2
