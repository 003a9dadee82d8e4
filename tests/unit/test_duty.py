# -*- coding: utf-8 -*-
"""What agent and workers tell each other through shared memory, also across a fork."""
import ast
import inspect
import os

import pytest

from oe_cluster_launch.cron import agent, crew, duty, election, lease, processes, wakeups
from oe_cluster_launch.cron.duty import Duty, Shift


class Clock(object):
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tenure(clock):
    made = Duty('a', 7, clock=clock)
    for index in (0, 1):
        made.start_slot(index)
    return made


def test_nothing_starts_before_the_lease_is_known_or_after_it(tenure, clock):
    assert not tenure.may_start()
    tenure.extend(110.0)
    assert tenure.may_start()
    clock.now = 110.0
    assert not tenure.may_start()


def test_an_ended_tenure_is_over_for_a_worker_that_missed_its_signal(tenure):
    shift = Shift(tenure, 0, 2)
    tenure.extend(110.0)
    assert shift.may_start() and not shift.over
    tenure.end()
    assert shift.over and not shift.may_start()


def test_a_lease_that_ran_out_is_not_the_end_of_the_shift(tenure, clock):
    """It may be renewed; until then nothing starts."""
    shift = Shift(tenure, 0, 2)
    tenure.extend(101.0)
    clock.now = 105.0
    assert not shift.may_start() and not shift.over
    tenure.extend(115.0)
    assert shift.may_start()


def test_a_worker_that_was_told_to_stop_starts_nothing(tenure):
    shift = Shift(tenure, 0, 2)
    tenure.extend(110.0)
    shift.stop()
    assert shift.over and not shift.may_start()


def test_the_page_is_shared_over_a_fork(tenure):
    tenure.extend(110.0)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        tenure.saw(12)
        Shift(tenure, 1, 2).working()
        os.write(writer, b'done')
        os.read(reader, 0)
        while tenure.may_start():
            pass
        os._exit(7)
    os.read(reader, 4)
    assert tenure.newest_term == 12
    assert tenure._page.slots[1].state == duty.WORKING
    tenure.extend(0.0)
    assert os.waitpid(pid, 0)[1] >> 8 == 7


def test_the_newest_term_seen_only_grows(tenure):
    tenure.saw(12)
    tenure.saw(9)
    assert tenure.newest_term == 12


def test_only_time_at_a_job_counts_as_work(tenure, clock):
    tenure.note(0, duty.WORKING)
    clock.now += 50
    assert tenure.working_seconds(0) == 50
    tenure.note(0, duty.IDLE)
    clock.now += 500
    assert tenure.working_seconds(0) == 0, "sleep is no work: no watchdog may count it"


def test_silence_is_when_those_who_try_get_no_answer(tenure, clock):
    tenure.note(0, duty.IDLE)
    tenure.note(1, duty.WORKING)
    clock.now += 60
    assert tenure.silence_seconds([0, 1]) == 0, "nobody tries"
    tenure.note(0, duty.IDLE)
    tenure.note(0, duty.POLLING)
    clock.now += 5
    assert tenure.silence_seconds([0, 1]) == 5, "a long job proves nothing"
    tenure.note(0, duty.NO_DATABASE)
    clock.now += 5
    assert tenure.silence_seconds([0, 1]) == 10, "failing looks do not reset it"
    tenure.note(1, duty.IDLE)
    assert tenure.silence_seconds([0, 1]) == 0, "the other one has reached it"


@pytest.mark.parametrize('module', [agent, crew, duty, election, lease, processes, wakeups])
def test_no_span_is_measured_by_a_clock_that_can_jump(module):
    source = inspect.getsource(module).encode('utf-8')
    names = [node.names[0].name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import)]
    assert 'time' not in names and 'datetime' not in names
