# -*- coding: utf-8 -*-
"""Pooled connections: what one user leaves in the session never reaches the next, at little cost."""
import psycopg2
import pytest

from oe_cluster_launch.seams.openerp7 import connections


@pytest.fixture
def database_of(sql_db):
    """A function: a sql_db.Connection to a database, whose pool makes connections of our class."""
    return sql_db.db_connect


@pytest.fixture
def base(database_of, database):
    return database_of(database('tpl_base'))


def run(base, *statements):
    """Run statements in one borrowing; return (pid of the backend, first value of the last)."""
    cursor = base.cursor()
    try:
        for statement in statements:
            cursor.execute(statement)
        row = cursor.fetchone()
        return cursor._cnx.get_backend_pid(), row and row[0]
    finally:
        cursor.close()


def resets(base):
    """How often the one connection's session was cleaned: DISCARD ALL ends a prepared statement."""
    return run(base, "SELECT count(*) FROM pg_prepared_statements")[1]


def test_plain_statements_cost_no_cleaning(base, postgres):
    raw = base.cursor()
    psycopg2.extensions.cursor.execute(raw._obj, "PREPARE mark AS SELECT 1")  # past our watch
    raw.commit()
    raw.close()
    assert resets(base) == 1
    run(base, "SELECT 1", "UPDATE res_users SET login_date = login_date", "SAVEPOINT here", "SELECT 2")
    assert resets(base) == 1
    run(base, "SET statement_timeout = 12345", "SELECT 1")
    assert resets(base) == 0


@pytest.mark.parametrize('statement', [
    "SET statement_timeout = 12345", "SELECT set_config('statement_timeout', '12345', false)",
    "SELECT 1; SET statement_timeout = 12345", "DO $$ BEGIN SET statement_timeout = 12345; END $$",
    "  set SESSION statement_timeout to 12345",
])
def test_a_parameter_does_not_reach_the_next(base, statement):
    cursor = base.cursor()
    cursor.execute(statement)
    cursor.commit()
    pid = cursor._cnx.get_backend_pid()
    cursor.close()
    assert run(base, "SHOW statement_timeout") == (pid, '0')


def test_a_temporary_table_does_not_reach_the_next(base):
    for make in ("CREATE TEMPORARY TABLE mine (x integer)", "SELECT 1 AS x INTO TEMP mine"):
        cursor = base.cursor()
        cursor.execute(make)
        cursor.commit()
        cursor.close()
        assert run(base, "SELECT to_regclass('pg_temp.mine') IS NULL")[1] is True


def test_a_lock_of_the_session_does_not_reach_the_next(base):
    run(base, "SELECT pg_advisory_lock(4711)")
    run(base, "SELECT 1")
    assert run(base, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")[1] == 0


def test_ways_past_execute_are_cleaned_up_after(base):
    cursor = base.cursor()
    cursor._obj.executemany("SELECT set_config('statement_timeout', %s, false)", [('12345',)])
    cursor.commit()
    cursor.close()
    assert run(base, "SHOW statement_timeout")[1] == '0'
    cursor = base.cursor()
    cursor._cnx.cursor().execute("SET statement_timeout = 12345")
    cursor.commit()
    cursor.close()
    assert run(base, "SHOW statement_timeout")[1] == '0'


def test_a_dead_connection_is_not_borrowed(base, postgres):
    pid = run(base, "SELECT 1")[0]
    postgres.query("SELECT pg_terminate_backend(%d)" % pid)
    other, one = run(base, "SELECT 1")
    assert one == 1 and other != pid


TWICE = connections.Prepared('oe_cluster_twice', 'SELECT 2 * $1', ['integer'])
IS_THERE = "SELECT count(*) FROM pg_prepared_statements WHERE name = 'oe_cluster_twice'"


@pytest.mark.parametrize('meanwhile', ["SELECT 1", "SET statement_timeout = 5000", "DISCARD ALL",
                                       "DEALLOCATE oe_cluster_twice"])
def test_a_statement_is_planned_once_per_connection_and_again_when_it_was_discarded(base, meanwhile):
    def twice(number):
        cursor = base.cursor()
        try:
            return cursor._cnx.get_backend_pid(), cursor._cnx.fetch_prepared(TWICE, (number,))
        finally:
            cursor.close()
    pid, found = twice(3)
    assert found == (6,) and run(base, IS_THERE) == (pid, 1)
    cursor = base.cursor()
    cursor.autocommit(True)
    cursor.execute(meanwhile)
    cursor.close()
    assert run(base, IS_THERE) == (pid, int(meanwhile == "SELECT 1"))
    assert twice(4) == (pid, (8,)) and run(base, IS_THERE) == (pid, 1)


def test_a_reading_leaves_the_next_in_a_transaction(base):
    with connections.single_statements(base) as cursor:
        cursor.execute("SELECT now(), pg_sleep(0.01)")
        first = cursor.fetchone()[0]
        cursor.execute("SELECT now()")
        assert cursor.fetchone()[0] > first  # each statement on its own
    cursor = base.cursor()
    cursor.execute("SHOW transaction_isolation")
    assert cursor.fetchone()[0] == 'repeatable read'
    cursor.execute("CREATE TABLE never (x integer)")
    cursor.rollback()
    cursor.execute("SELECT to_regclass('never') IS NULL")
    assert cursor.fetchone()[0] is True
    cursor.close()


ISOLATION = "SELECT current_setting('transaction_isolation')"


def last_statement(postgres, pid):
    return postgres.query("SELECT query FROM pg_stat_activity WHERE pid = %d" % pid)[0][0]


def test_autocommit_and_the_way_back_cost_no_statement(base, postgres):
    cursor = base.cursor()
    cursor.autocommit(True)
    cursor.execute(ISOLATION)
    assert cursor.fetchone()[0] == 'read committed'
    pid = cursor._cnx.get_backend_pid()
    cursor.close()
    again = base.cursor()
    assert again._cnx.get_backend_pid() == pid
    assert last_statement(postgres, pid) == ISOLATION
    again.autocommit(True)
    assert last_statement(postgres, pid) == ISOLATION
    again.autocommit(False)
    again.execute(ISOLATION)
    assert again.fetchone()[0] == 'repeatable read'
    again.close()


def test_autocommit_ends_what_was_begun(base):
    cursor = base.cursor()
    cursor.execute("CREATE TABLE never (x integer)")
    cursor.autocommit(True)
    cursor.execute("SELECT to_regclass('never') IS NULL")
    assert cursor.fetchone()[0] is True
    cursor.close()


def test_what_is_remembered_of_statements_is_bounded(monkeypatch):
    monkeypatch.setattr(connections, '_remembered', {})
    monkeypatch.setattr(connections, '_MOST_REMEMBERED', 3)
    for number in range(10):
        assert connections.leaves_state("SET a = %d" % number)
        assert not connections.leaves_state("SELECT %d" % number)
        assert connections.leaves_state("SET a = %d" % number)
        assert len(connections._remembered) <= 3


def test_the_identity_is_the_servers_and_the_databases(base, database_of, database):
    def identity(of):
        with connections.single_statements(of) as cursor:
            return cursor._cnx.identify()
    assert identity(base) == identity(base)
    other = identity(database_of(database('tpl_base')))
    assert other[0] != identity(base)[0] and other[1] == identity(base)[1]
