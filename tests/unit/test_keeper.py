# -*- coding: utf-8 -*-
"""The keeper's decisions, without a process: what follows from signals, reports and ends."""
import signal

import pytest

from oe_cluster_launch.supervisor import keeper as keeper_module
from oe_cluster_launch.supervisor.keeper import RETIRE, Keeper


class Master(object):
    """Looks to the keeper like a master process."""

    def __init__(self, pid):
        self.pid, self.ready, self.sent, self.descriptors = pid, False, [], []
        self.started_at = self.heard_at = keeper_module.monotonic()
        self.kill_at = None

    def send(self, number):
        self.sent.append(number)

    retire = send

    def close(self):
        pass


class World(object):
    """What the keeper would do to the world."""

    node_name = 'n'
    adopted = None
    adopted_retiring = ()

    def __init__(self):
        self.started, self.told, self.notifier = [], [], self

    def tell(self, **variables):
        self.told.append(variables)

    def status(self, sentence):
        pass

    def alive(self):
        self.told.append({'WATCHDOG': 1})

    def start_master(self, again):
        master = Master(100 + len(self.started))
        master.again = again
        self.started.append(master)
        return master

    def keep_sockets(self, descriptors):
        self.sockets = descriptors

    def write_pidfile(self):
        pass


@pytest.fixture
def keeper(monkeypatch):
    monkeypatch.setattr(keeper_module, 'set_title', lambda *arguments: None)
    made = Keeper(World())
    made._act()
    return made


def become_ready(keeper):
    keeper.on_report(keeper.booting, {'say': 'ready'})


def ended(keeper, master, code=0):
    keeper.on_end(master.pid, code << 8)
    keeper._act()


def test_the_first_master_that_fails_ends_the_node_with_its_own_code(keeper):
    ended(keeper, keeper.booting, 78)
    assert keeper.exit_code == 78


def test_work_done_once_ends_the_node_with_zero(keeper):
    ended(keeper, keeper.booting, 0)
    assert keeper.exit_code == 0


def test_a_reload_boots_a_second_master_and_retires_the_first_when_it_is_ready(keeper):
    become_ready(keeper)
    old = keeper.serving
    keeper.on_signal(signal.SIGHUP)
    keeper._act()
    assert keeper.serving is old and keeper.booting.again and old.sent == []
    become_ready(keeper)
    assert keeper.serving is not old and old.sent == [RETIRE]
    ended(keeper, old)
    assert keeper.masters == [keeper.serving]


def test_a_reload_asked_for_during_a_reload_follows_it(keeper):
    become_ready(keeper)
    for _ in range(3):
        keeper.on_signal(signal.SIGHUP)
        keeper._act()
    assert len(keeper.io.started) == 2
    become_ready(keeper)
    keeper._act()
    assert len(keeper.io.started) == 3
    become_ready(keeper)
    keeper._act()
    assert len(keeper.io.started) == 3


def test_a_reload_that_fails_leaves_the_serving_master_alone(keeper):
    become_ready(keeper)
    keeper.on_signal(signal.SIGHUP)
    keeper._act()
    serving = keeper.serving
    ended(keeper, keeper.booting, 70)
    assert keeper.serving is serving and serving.sent == [] and keeper.exit_code is None
    assert len(keeper.io.started) == 2, "it is not tried again by itself"


def test_a_serving_master_that_dies_is_replaced_after_a_pause_that_grows(keeper, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(keeper_module, 'monotonic', lambda: now[0])
    become_ready(keeper)
    for pause in (1, 2, 4):
        keeper.serving.started_at = now[0]
        dead = keeper.serving
        keeper.on_end(dead.pid, signal.SIGKILL)
        now[0] += pause - 0.1
        keeper._act()
        assert keeper.booting is None
        now[0] += 0.2
        keeper._act()
        assert keeper.booting.again
        become_ready(keeper)


def test_a_signal_that_comes_while_the_first_master_boots_reaches_it_when_it_is_ready(keeper):
    keeper.on_signal(signal.SIGTTIN)
    assert keeper.booting.sent == []
    become_ready(keeper)
    assert keeper.serving.sent == [signal.SIGTTIN]


def test_a_stop_reaches_every_master_and_ends_when_they_have(keeper):
    become_ready(keeper)
    keeper.on_signal(signal.SIGHUP)
    keeper._act()
    masters = keeper.masters
    keeper.on_signal(signal.SIGTERM)
    assert [master.sent[-1] for master in masters] == [signal.SIGTERM] * 2
    assert {'STOPPING': 1} in keeper.io.told
    for master in masters:
        ended(keeper, master)
    assert keeper.exit_code == 0 and len(keeper.io.started) == 2


def test_the_third_stop_kills(keeper):
    become_ready(keeper)
    for _ in range(3):
        keeper.on_signal(signal.SIGTERM)
    assert keeper.serving.sent == [signal.SIGTERM, signal.SIGTERM, signal.SIGKILL]


def test_stopping_before_the_node_was_ever_ready_is_no_success(keeper):
    keeper.on_signal(signal.SIGTERM)
    ended(keeper, keeper.booting)
    assert keeper.exit_code == 1


def test_systemds_watchdog_is_fed_only_while_the_master_reports(keeper, monkeypatch):
    become_ready(keeper)
    keeper._act()
    fed = keeper.io.told.count({'WATCHDOG': 1})
    assert fed
    keeper.serving.heard_at -= 2 * keeper_module.SILENT_SECONDS
    keeper._act()
    assert keeper.io.told.count({'WATCHDOG': 1}) == fed


def test_the_first_master_does_the_one_off_work_and_no_later_one(keeper):
    assert keeper.booting.again is False
    become_ready(keeper)
    keeper.on_signal(signal.SIGHUP)
    keeper._act()
    assert keeper.booting.again is True
