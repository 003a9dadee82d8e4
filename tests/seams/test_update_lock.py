# -*- coding: utf-8 -*-
"""The update lock between threads that stand for nodes: each has its own connection."""
import threading

import pytest
from testbed.waiting import wait_until

from oe_cluster_launch.seams.openerp7 import update_lock
from oe_cluster_launch.seams.openerp7.update_lock import EXCLUSIVE, SHARED, DatabaseBusy


@pytest.fixture
def name(database):
    return database('tpl_base')


@pytest.fixture
def config(host, postgres):
    host.config.options.update(db_host=postgres.host, db_port=postgres.port, db_user=postgres.role)
    return host.config


class Other(object):
    """Another node, which holds the lock until told to let go."""

    def __init__(self, config, name, mode):
        self.has_it, self.waits, self.let_go = threading.Event(), threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._hold, args=(config, name, mode))
        self.thread.daemon = True
        self.thread.start()

    def _hold(self, config, name, mode):
        with update_lock.hold(config, name, mode, before_waiting=self.waits.set) as self.held:
            self.has_it.set()
            self.let_go.wait(30)

    def end(self):
        self.let_go.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def other(config, name):
    others = []

    def start(mode):
        others.append(Other(config, name, mode))
        return others[-1]
    yield start
    for each in others:
        each.end()


def test_two_loads_share_it(config, name, other):
    assert other(SHARED).has_it.wait(5)
    with update_lock.hold(config, name, SHARED) as held:
        assert not held.waited


@pytest.mark.parametrize('theirs, ours', [(EXCLUSIVE, EXCLUSIVE), (EXCLUSIVE, SHARED), (SHARED, EXCLUSIVE)])
def test_an_update_is_alone(config, name, other, theirs, ours):
    first = other(theirs)
    assert first.has_it.wait(5)
    second = other(ours)
    assert second.waits.wait(5)
    assert not second.has_it.wait(0.3)
    first.end()
    assert second.has_it.wait(5)
    assert second.held.waited


@pytest.mark.parametrize('outer, inner', [(EXCLUSIVE, EXCLUSIVE), (EXCLUSIVE, SHARED), (SHARED, SHARED)])
def test_a_thread_that_holds_it_may_take_it_again(config, name, outer, inner):
    with update_lock.hold(config, name, outer) as first:
        with update_lock.hold(config, name, inner, limit_seconds=1) as second:
            assert second is first
        assert update_lock.holds(name) == outer
    assert update_lock.holds(name) is None


def test_a_load_never_becomes_an_update(config, name):
    with update_lock.hold(config, name, SHARED):
        with pytest.raises(AssertionError), update_lock.hold(config, name, EXCLUSIVE):
            pass
        assert update_lock.holds(name) == SHARED


def test_the_wait_is_bounded_and_says_what_is_going_on(config, name, other):
    assert other(EXCLUSIVE).has_it.wait(5)
    with pytest.raises(DatabaseBusy) as caught, update_lock.hold(config, name, SHARED, limit_seconds=0.1):
        pass
    assert name in str(caught.value)
    assert update_lock.holds(name) is None


def test_it_ends_with_the_connection_and_the_loser_is_told(config, name, other, postgres, caplog):
    first = other(EXCLUSIVE)
    assert first.has_it.wait(5)
    postgres.query('SELECT pg_terminate_backend(%d)' % first.held.connection.get_backend_pid())
    with update_lock.hold(config, name, EXCLUSIVE, limit_seconds=5):
        first.end()
    wait_until(lambda: 'was lost meanwhile' in caplog.text, 5, "the loss is logged")


def test_databases_have_locks_of_their_own(config, name, other, database):
    assert other(EXCLUSIVE).has_it.wait(5)
    with update_lock.hold(config, database('tpl_base'), EXCLUSIVE, limit_seconds=1) as held:
        assert not held.waited


def test_a_plain_load_finds_no_updates_in_the_options_and_an_update_leaves_none(host, config, monkeypatch):
    from oe_cluster_launch.seams.openerp7 import registry_lock
    host.config['update'] = {'base': 1}
    with registry_lock._once_only(updates=False):
        assert host.config['update'] == {}
    host.config['update'] = {'base': 1}
    with registry_lock._once_only(updates=True):
        assert host.config['update'] == {'base': 1}
    assert host.config['update'] == {}
