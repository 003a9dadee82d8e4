# -*- coding: utf-8 -*-
"""OpenERP's pool with our short cut: the same connections as before, whatever has become of them."""
import threading
import time

import pytest

from oe_cluster_launch.seams.openerp7.pool import idle, quick_pool


@pytest.fixture
def dsn_of(sql_db, database):
    """A function: the words that OpenERP asks for a new database with."""
    return lambda: sql_db.dsn(database('tpl_base'))


@pytest.fixture
def pool(sql_db):
    """A pool of two; `searched` counts how often OpenERP looks for a connection itself."""
    class Counting(sql_db.ConnectionPool):
        searched = 0

        def borrow(self, dsn):
            self.searched += 1
            return super(Counting, self).borrow(dsn)
    made = quick_pool(Counting, None)(2)
    yield made
    for connection, _used in made._connections:
        connection.close()


def state(pool):
    return [(connection.asked_for, used) for connection, used in pool._connections]


def test_what_was_given_back_is_lent_again_without_a_search(pool, dsn_of):
    dsn = dsn_of()
    first = pool.borrow(dsn)
    assert pool.searched == 1 and state(pool) == [(dsn, True)]
    pool.give_back(first)
    assert state(pool) == [(dsn, False)]
    assert pool.borrow(dsn) is first and pool.searched == 1 and state(pool) == [(dsn, True)]


def test_a_connection_in_use_is_lent_to_nobody_else(pool, dsn_of, sql_db):
    dsn = dsn_of()
    first = pool.borrow(dsn)
    assert idle(pool, dsn) is None
    second = pool.borrow(dsn)
    assert second is not first and state(pool) == [(dsn, True)] * 2
    with pytest.raises(sql_db.PoolError):
        pool.borrow(dsn)  # as OpenERP has it: two are all
    pool.give_back(second)
    assert pool.borrow(dsn) is second


def test_each_database_has_its_own(pool, dsn_of):
    one, other = dsn_of(), dsn_of()
    first = pool.borrow(one)
    pool.give_back(first)
    second = pool.borrow(other)
    assert second is not first
    pool.give_back(second)
    assert pool.borrow(one) is first and pool.borrow(other) is second and pool.searched == 2


@pytest.mark.parametrize('how', ['closed here', 'ended by the server'])
def test_what_has_ended_is_replaced(pool, dsn_of, postgres, how):
    dsn = dsn_of()
    first = pool.borrow(dsn)
    pool.give_back(first)
    if how == 'closed here':
        first.close()
    else:
        postgres.query("SELECT pg_terminate_backend(%d)" % first.get_backend_pid())
    second = pool.borrow(dsn)
    assert second is not first and not second.closed and state(pool) == [(dsn, True)]


def test_what_is_not_to_be_kept_is_closed(pool, dsn_of):
    connection = pool.borrow(dsn_of())
    pool.give_back(connection, keep_in_pool=False)
    assert connection.closed and state(pool) == []


def test_what_leaked_is_lent_again(pool, dsn_of):
    dsn = dsn_of()
    leaked = pool.borrow(dsn)
    leaked.leaked = True
    assert pool.borrow(dsn) is leaked


def test_a_stranger_is_not_taken(pool, dsn_of, sql_db):
    connection = pool.borrow(dsn_of())
    pool.give_back(connection)
    del pool._connections[:]
    with pytest.raises(sql_db.PoolError):
        pool.give_back(connection)
    connection.close()


def test_threads_share_no_connection(pool, dsn_of):
    dsn, twice = dsn_of(), []

    def use():
        for number in range(100):
            connection = pool.borrow(dsn)
            connection.holder = mine = (threading.current_thread(), number)
            time.sleep(0.001)
            if connection.holder != mine:
                twice.append(mine)
            pool.give_back(connection)
    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not twice and len(pool._connections) <= 2 and not any(used for _, used in pool._connections)
