# -*- coding: utf-8 -*-
"""The board, over a real fork: what one process says, the others read."""
import os

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.supervisor.board import COUNTERS, Board


def in_child(function):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            function()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


def test_the_master_reads_what_a_worker_says_and_the_worker_what_the_master_wants():
    board = Board()
    slot = board.take()
    slot.leave = True

    def work():
        assert slot.leave
        slot.ready = True
        slot.begin(monotonic(), '{"path": "/x", "http_method": "GET"}')
        slot.describe('{"path": "/x", "model": "res.partner"}')
        slot.count('requests', 3)
    in_child(work)
    assert slot.ready
    assert slot.doing == {'path': '/x', 'model': 'res.partner'}
    assert 0 <= slot.busy_seconds < 5
    assert board.total('requests') == 3


def test_counts_outlive_the_worker_and_its_slot_starts_empty_again():
    board = Board()
    slot = board.take()
    slot.count('limit_time_real')
    slot.leave = slot.ready = True
    board.give_back(slot)
    again = board.take()
    assert (again.number, again.leave, again.ready, again.doing) == (slot.number, False, False, {})
    assert again.busy_seconds is None
    assert board.total('limit_time_real') == 1


def test_a_description_that_is_too_long_harms_no_neighbour():
    board = Board()
    one, other = board.take(), board.take()
    other.begin(1.0, '{"path": "/other"}')
    one.begin(1.0, '{"path": "%s"}' % ('x' * 100000))
    assert one.doing == {}, "torn"
    assert other.doing == {'path': '/other'}


def test_every_counter_has_its_own_place():
    board = Board()
    slot = board.take()
    for number, (name, _) in enumerate(COUNTERS):
        slot.count(name, number + 1)
    assert [slot.counted(name) for name, _ in COUNTERS] == list(range(1, len(COUNTERS) + 1))
    assert slot.doing == {}
