# -*- coding: utf-8 -*-
"""A transaction whose BEGIN travels with its first statement is one like any other."""
import io

import psycopg2
import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS

from oe_cluster_launch.seams.openerp7.transactions import cluster_cursor

COUNT = "SELECT count(*) FROM witness"


@pytest.fixture
def name(database, postgres):
    made = database('tpl_base')
    postgres.query("CREATE TABLE witness (number integer)", made)
    postgres.query("GRANT ALL ON witness TO PUBLIC", made)
    return made


@pytest.fixture
def cursor_of(sql_db, name):
    """A function that opens a cursor as nodes do."""
    kind = cluster_cursor(sql_db.Cursor, None)
    return lambda serialized=True: kind(sql_db.db_connect(name)._pool, name, serialized)


@pytest.fixture
def cursor(cursor_of):
    opened = cursor_of()
    yield opened
    opened.close()


@pytest.fixture
def seen(postgres, name):
    """A function: how many rows others see."""
    return lambda: int(postgres.query(COUNT, name)[0][0])


def activity(postgres, cursor):
    """What the server says of a cursor's session: [query, state]."""
    return postgres.query("SELECT query, state FROM pg_stat_activity WHERE pid = %d"
                          % cursor._cnx.get_backend_pid())[0]


def add(cursor, number=1):
    cursor.execute("INSERT INTO witness VALUES (%s)", (number,))


def test_the_first_statement_brings_the_beginning_along(cursor, postgres):
    cursor.execute("SELECT 1")
    assert cursor.fetchone() == (1,)
    assert activity(postgres, cursor) == ["BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1",
                                          "idle in transaction"]
    cursor.execute("SELECT 2")
    assert activity(postgres, cursor) == ["SELECT 2", "idle in transaction"]
    cursor.commit()
    assert activity(postgres, cursor) == ["COMMIT", "idle"]


def test_a_commit_keeps_and_a_rollback_undoes(cursor, seen):
    add(cursor)
    add(cursor)
    assert seen() == 0
    cursor.commit()
    assert seen() == 2
    add(cursor)
    cursor.rollback()
    add(cursor)
    cursor.commit()
    assert seen() == 3


def test_what_is_closed_without_a_commit_is_undone_and_leaves_its_connection_idle(cursor_of, seen):
    cursor = cursor_of()
    add(cursor)
    connection = cursor._cnx
    cursor.close()
    assert seen() == 0 and connection.get_transaction_status() == TRANSACTION_STATUS_IDLE
    again = cursor_of()
    assert again._cnx is connection
    add(again)
    again.commit()
    again.close()
    assert seen() == 1


def test_all_statements_see_one_snapshot(cursor, postgres, name):
    cursor.execute(COUNT)
    postgres.query("INSERT INTO witness VALUES (1)", name)
    cursor.execute(COUNT)
    assert cursor.fetchone() == (0,)
    cursor.commit()
    cursor.execute(COUNT)
    assert cursor.fetchone() == (1,)


def test_read_committed_is_kept_apart(cursor_of, postgres, name):
    cursor = cursor_of(serialized=False)
    cursor.execute(COUNT)
    postgres.query("INSERT INTO witness VALUES (1)", name)
    cursor.execute(COUNT)
    assert cursor.fetchone() == (1,)
    assert cursor._cnx.get_transaction_status() == TRANSACTION_STATUS_INTRANS
    cursor.close()


@pytest.mark.parametrize('wrong', ["SELECT 1 / 0", "SELEC 1", "SELECT missing FROM witness"])
def test_after_an_error_of_the_first_statement_all_goes_on(cursor, seen, wrong):
    with pytest.raises(psycopg2.Error):
        cursor.execute(wrong, log_exceptions=False)
    cursor.rollback()
    assert cursor._cnx.get_transaction_status() == TRANSACTION_STATUS_IDLE
    add(cursor)
    cursor.commit()
    assert seen() == 1


@pytest.mark.parametrize('wrong, parameters', [("SELEC 1", None), ("SELECT %s, %s", (1,)), ("SELECT %s", ())])
def test_what_follows_a_first_statement_that_never_began_is_a_transaction(cursor, seen, wrong, parameters):
    """Without a rollback in between, as an addon may have it."""
    for way in (add, rows):
        with pytest.raises((psycopg2.Error, TypeError, IndexError)):
            cursor._obj.execute(wrong, parameters or None)
        if wrong == "SELECT %s" and not parameters:
            cursor.rollback()  # sent as it is, and refused within the transaction
        way(cursor)
        assert seen() == 0
        cursor.rollback()
        assert seen() == 0


def test_a_failed_transaction_commits_nothing(cursor, seen):
    add(cursor)
    with pytest.raises(psycopg2.Error):
        cursor.execute("SELECT 1 / 0", log_exceptions=False)
    cursor.commit()  # which PostgreSQL makes a rollback
    assert seen() == 0


def rows(cursor):
    cursor._obj.executemany("INSERT INTO witness VALUES (%s)", [(1,), (2,)])


def copied(cursor):
    cursor._obj.copy_from(io.BytesIO(b'1\n2\n'), 'witness')


@pytest.mark.parametrize('way', [rows, copied])
@pytest.mark.parametrize('first', [True, False])
def test_other_ways_to_the_server_join_in(cursor, seen, way, first):
    if not first:
        cursor.execute(COUNT)
    way(cursor)
    cursor.execute(COUNT)
    assert cursor.fetchone() == (2,) and seen() == 0
    assert not cursor._cnx.notices  # such as "there is already a transaction in progress"
    cursor.commit()
    assert seen() == 2
    way(cursor)
    cursor.rollback()
    assert seen() == 2


def test_what_insists_on_a_transaction_of_psycopg2s_has_one(cursor, seen):
    add(cursor)
    named = cursor._cnx.cursor('by_name')
    named.execute("SELECT number FROM witness")
    assert named.fetchall() == [(1,)]
    large = cursor._cnx.lobject(0, 'wb')
    large.write('large')
    assert cursor._cnx.lobject(large.oid, 'rb').read() == 'large'
    assert seen() == 0
    cursor.commit()
    assert seen() == 1
    add(cursor)
    cursor._cnx.cursor('never_used')
    cursor.commit()
    assert seen() == 2


def test_autocommit_undoes_what_is_open(cursor, seen):
    add(cursor)
    cursor.autocommit(True)
    assert seen() == 0
    add(cursor)
    assert seen() == 1
    cursor.autocommit(False)
    add(cursor)
    assert seen() == 1
    cursor.rollback()
    assert seen() == 1
    add(cursor)
    cursor.autocommit(False)  # psycopg2 rolls back then, too
    add(cursor)
    cursor.commit()
    assert seen() == 2


def test_a_session_that_was_made_read_only_stays_so(cursor):
    cursor._cnx.set_session(readonly=True)
    with pytest.raises(psycopg2.Error):
        cursor.execute("INSERT INTO witness VALUES (1)", log_exceptions=False)
    cursor.rollback()
    cursor._cnx.set_session(readonly='default')
