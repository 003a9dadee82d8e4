# -*- coding: utf-8 -*-
"""A supervised child over real forks: told to leave, hanging, crashing, told too early."""
import os
import signal
import time

import pytest

child_module = pytest.importorskip('oe_cluster_launch.supervisor.child')
from oe_cluster_launch.supervisor.arbiter import NodeArbiter  # noqa: E402
from oe_cluster_launch.supervisor.board import Board  # noqa: E402


class Node(object):
    name = 'n'


class Master(object):
    """What a child needs of the master."""

    SIGNALS = NodeArbiter.SIGNALS
    set_nonblocking = staticmethod(NodeArbiter.set_nonblocking)
    shutdown = None

    def __init__(self):
        self.board = Board()

    def close_listeners_in_child(self):
        pass


class Worker(child_module.ChildProcess):
    role = 'test child'
    stop_seconds = 5
    pause_before_handlers = 0.0

    def _prepare(self, arbiter):
        until = time.time() + self.pause_before_handlers
        while time.time() < until:
            time.sleep(0.01)
        super(Worker, self)._prepare(arbiter)

    def run(self):
        while not self.stopping:
            self.sleep(60)


class Hanging(Worker):
    watchdog_seconds = 0.3

    def run(self):
        while True:
            time.sleep(60)


class Crashing(Worker):
    def run(self):
        os._exit(3)


@pytest.fixture(autouse=True)
def as_in_a_master():
    """The master has a handler for SIGTERM, which a child inherits at first."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def master():
    return Master()


def ended(child, within_seconds, look_after=False):
    """The wait status of a child, or None when it did not end in time."""
    until = time.time() + within_seconds
    while time.time() < until:
        if look_after:
            child.look_after()
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    return None


def start(child, master):
    child.start(master)
    until = time.time() + 5
    while not child.slot.ready and time.time() < until and not child.pause_before_handlers:
        time.sleep(0.01)
    return child


def test_a_child_that_is_told_to_leave_does(master):
    child = start(Worker(Node()), master)
    child.tell_to_leave()
    assert ended(child, 3) == 0


def test_a_child_that_is_told_before_it_can_hear_leaves_all_the_same(master):
    child = Worker(Node())
    child.pause_before_handlers = 0.5
    start(child, master)
    child.tell_to_leave()
    assert ended(child, 4) == 0


def test_a_child_that_hangs_is_killed(master):
    child = start(Hanging(Node()), master)
    assert ended(child, 5, look_after=True) == signal.SIGKILL
    assert child.slot.counted('workers_killed') == 1


def test_a_child_that_does_not_leave_is_killed(master):
    child = Hanging(Node())
    child.watchdog_seconds, child.stop_seconds = 60, 0.2
    start(child, master)
    child.tell_to_leave()
    assert ended(child, 5, look_after=True) == signal.SIGKILL


def test_a_child_that_crashes_is_started_again_after_pauses_that_grow(master, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(child_module, 'monotonic', lambda: now[0])
    child = Crashing(Node())
    pauses = []
    for _ in range(8):
        child.start(master)
        assert ended(child, 5) == 3 << 8
        child.ended(master, "ended with exit code 3")
        pauses.append(child.start_at - now[0])
        child.start(master)
        assert child.pid is None, "not yet"
        now[0] = child.start_at
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
