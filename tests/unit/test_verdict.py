# -*- coding: utf-8 -*-
"""The judge of the witness jobs, on made-up rows: it must see every violation, and invent none."""
from testbed.verdict import Execution, Promise, delays, faults, missed


def ran(job='job', node='a', term=1, due=0, started=0.0, ended=1.0):
    return Execution(0, job, node, term, float(due), 1, started, ended)


SOUND = [ran(due=0, started=0.1, ended=1.0), ran('other', due=0, started=0.5, ended=2.0),
         ran(due=1, started=1.0, ended=1.5), ran(node='b', term=2, due=2, started=2.0, ended=2.5)]


def test_sound_rows_have_no_fault():
    assert faults(SOUND) == []


def test_a_witness_that_saw_nothing_is_a_fault():
    assert faults([]) == ["the witness saw nothing"]


def test_two_executions_of_a_job_at_once():
    assert 'overlap' in faults([ran(due=0, started=0.0, ended=2.0), ran(due=1, started=1.9, ended=3.0)])[0]


def test_an_overlap_with_one_that_is_not_the_last_before():
    found = faults([ran(due=0, started=0.0, ended=9.0), ran(due=1, started=1.0, ended=2.0),
                    ran(due=2, started=3.0, ended=4.0)])
    assert len([fault for fault in found if 'overlap' in fault]) == 2


def test_two_jobs_may_run_at_once():
    assert faults([ran('x', started=0.0, ended=2.0), ran('y', started=1.0, ended=2.0)]) == []


def test_a_killed_execution_overlaps_nothing_and_serves_nothing():
    assert faults([ran(started=0.0, ended=None), ran(started=0.5, ended=1.0)]) == []


def test_a_due_time_served_twice():
    assert 'served 2 times' in faults([ran(started=0.0, ended=1.0), ran(started=2.0, ended=3.0)])[0]


def test_a_term_that_goes_back():
    found = faults([ran(term=2, due=0, started=0.0), ran(term=1, due=1, started=2.0, ended=3.0)])
    assert 'term went back' in found[0]


def test_a_killed_execution_of_an_old_term_is_a_fault_all_the_same():
    """It should not have been started."""
    found = faults([ran(term=2, due=0, started=0.0), ran(term=1, due=1, started=2.0, ended=None)])
    assert 'term went back' in found[0]


def test_a_term_of_two_nodes():
    found = faults([ran(due=0, started=0.0), ran(node='b', due=1, started=2.0, ended=3.0)])
    assert found == ["term 1 had ['a', 'b']"]


def test_delays_count_to_the_execution_that_completed():
    executions = [ran(due=5, started=5.5, ended=None), ran(due=5, started=8.0, ended=9.0)]
    assert delays([Promise('job', 5.0, 5.2)], executions) == [(Promise('job', 5.0, 5.2), 8.0 - 5.2)]


def test_a_due_time_that_nobody_served():
    assert delays([Promise('job', 5.0, 5.2)], []) == [(Promise('job', 5.0, 5.2), None)]
    assert list(missed([Promise('job', 5.0, 5.2)], [], 6.0, 3.0)) == [], "not yet"
    assert 'missed' in list(missed([Promise('job', 5.0, 5.2)], [], 9.0, 3.0))[0]


def test_a_due_time_whose_only_execution_was_killed_is_missed():
    killed = ran(due=5, started=5.5, ended=None)
    assert 'missed' in list(missed([Promise('job', 5.0, 5.2)], [killed], 9.0, 3.0))[0]


def test_a_due_time_that_was_served_late():
    promises = [Promise('job', 5.0, 5.2)]
    assert 'late' in list(missed(promises, [ran(due=5, started=9.0, ended=9.5)], 20.0, 3.0))[0]
    assert list(missed(promises, [ran(due=5, started=8.0, ended=9.5)], 20.0, 3.0)) == []
