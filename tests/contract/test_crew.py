# -*- coding: utf-8 -*-
"""The keeping of cron workers: real processes, and a clock that the test turns."""
import os
import time

import pytest
from testbed import process_table
from testbed.waiting import wait_until

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron.crew import LIMIT_GRACE_SECONDS, LONGEST_PAUSE_SECONDS, SETTLED_SECONDS, Crew
from oe_cluster_launch.cron.duty import Duty


class Clock(object):
    """The real clock, which a test may put forward for this process and later children."""

    ahead = 0.0

    def __call__(self):
        return monotonic() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def start(clock):
    """A function that starts a crew: start(run_jobs, ...)."""
    crews = []

    def make(run_jobs, size=1, **limits):
        crew = Crew(run_jobs, size, clock=clock, **limits)
        crews.append(crew)
        duty = Duty('a', 1, clock=clock)
        duty.extend(monotonic() + 1e6)
        crew.start(duty)
        return crew
    yield make
    for crew in crews:
        crew.dismiss()
        crew.kill()
        wait_until(lambda: crew.tend() or not len(crew), 5, "all are gone")  # noqa: B023


def works(shift):
    shift.working()
    time.sleep(60)


def sleeps_after_a_job(shift):
    shift.working()
    shift.idle()
    time.sleep(60)


def dies(shift):
    os._exit(3)


def test_workers_are_nicer_than_everybody_else(start):
    crew = start(works)
    pid, = crew.pids
    wait_until(lambda: _nice(pid) == _nice(os.getpid()) + 10, 5, "it is nice")


def _nice(pid):
    with open('/proc/%d/stat' % pid) as stat:
        return int(stat.read().rpartition(')')[2].split()[16])


def test_a_job_that_ignores_its_time_limit_is_killed_after_a_grace(start, clock):
    crew = start(works, job_seconds=100)
    pid, = crew.pids
    wait_until(lambda: crew.working == 1, 5, "it is at a job")
    clock.ahead = 100 + LIMIT_GRACE_SECONDS - 1
    crew.tend()
    assert crew.pids == [pid] and process_table.entry(pid)
    clock.ahead = 100 + LIMIT_GRACE_SECONDS + 1
    wait_until(lambda: crew.tend() or crew.pids not in ([], [pid]), 5, "another one took its place")
    assert not process_table.entry(pid)


def test_the_sleep_between_jobs_is_no_job(start, clock):
    """The stock supervisor's watchdog counts it, and kills whoever sleeps too long."""
    crew = start(sleeps_after_a_job, job_seconds=100)
    pid, = crew.pids
    wait_until(lambda: crew._duty._page.slots[0].since and crew.working == 0, 5, "it sleeps")
    time.sleep(0.2)
    clock.ahead = 1000000
    crew.tend()
    assert crew.pids == [pid] and process_table.entry(pid)


def test_no_time_limit_is_no_time_limit(start, clock):
    crew = start(works, job_seconds=0)
    pid, = crew.pids
    wait_until(lambda: crew.working == 1, 5, "it is at a job")
    clock.ahead = 1000000
    crew.tend()
    assert crew.pids == [pid] and process_table.entry(pid)


def test_a_worker_over_the_memory_limit_is_killed_even_within_a_job(start):
    def hoards(shift):
        shift.working()
        hoard = b'x' * (200 << 20)
        time.sleep(60)
        del hoard
    crew = start(hoards, memory_bytes=150 << 20)
    pid, = crew.pids
    wait_until(lambda: crew.tend() or pid not in crew.pids, 10, "it was killed")
    assert not process_table.entry(pid)


def test_a_worker_that_cannot_start_is_tried_again_with_growing_pauses(start, clock):
    crew, pauses = start(dies), []
    for _ in range(9):
        wait_until(lambda: crew.tend() or not len(crew), 5, "it died")
        pauses.append(crew.seconds_to_next_duty())
        clock.ahead += pauses[-1] + 0.001
        crew.tend()
    assert 0.3 < pauses[0] < 0.7
    assert all(later > earlier for earlier, later in zip(pauses[:5], pauses[1:5]))
    assert LONGEST_PAUSE_SECONDS * 0.7 < pauses[-1] <= LONGEST_PAUSE_SECONDS * 1.2


def test_a_worker_that_had_settled_is_replaced_at_once(start, clock):
    crew = start(dies)
    for _ in range(3):
        wait_until(lambda: crew.tend() or not len(crew), 5, "it died")
        clock.ahead += crew.seconds_to_next_duty() + 0.001
        crew.tend()
    wait_until(lambda: crew.tend() or not len(crew), 5, "it died")
    crew._run_jobs = works
    clock.ahead += crew.seconds_to_next_duty() + 0.001
    crew.tend()
    pid, = crew.pids
    clock.ahead += SETTLED_SECONDS + 1
    os.kill(pid, 9)
    wait_until(lambda: crew.tend() or pid not in crew.pids, 5, "it was buried")
    assert crew.pids, "replaced at once"


def test_the_watch_is_one_worker_more_and_runs_no_jobs(start, tmpdir):
    """It tells whether PostgreSQL is there while all others are at a job."""
    def watches(shift):
        tmpdir.join('watch-%d' % shift.index).write('')
        time.sleep(60)

    def jobs(shift):
        tmpdir.join('jobs-%d' % shift.index).write('')
        time.sleep(60)
    crew = start(jobs, size=2, watch=watches)
    assert len(crew) == 3
    wait_until(lambda: len(tmpdir.listdir()) == 3, 5, "all have begun")
    assert sorted(path.basename for path in tmpdir.listdir()) == ['jobs-0', 'jobs-1', 'watch-2']


def test_silence_is_known_while_every_worker_is_at_a_job(start, clock):
    def silent(shift):
        shift.no_database()
        time.sleep(60)
    crew = start(works, watch=silent)
    wait_until(lambda: crew.working == 1 and crew._duty._page.slots[1].state, 5, "both have begun")
    time.sleep(0.2)
    clock.ahead = 20
    assert crew.database_silence_seconds() > 15
