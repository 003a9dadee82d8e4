# -*- coding: utf-8 -*-
"""When a changed registry is worth a reload: the decision alone, as a table."""
from oe_cluster_launch.supervisor.watcher import FIRST_RETRY_SECONDS, Calls, Staleness

PRELOADED = {'one': 5, 'two': 9}


def looks(staleness, *found):
    """The answers to one look per sequence of database `one`, a second apart."""
    return [staleness.look({'one': value, 'two': 9}, float(second))
            for second, value in enumerate(found)]


def test_nothing_changed():
    assert looks(Staleness(PRELOADED), 5, 5, 5) == [False, False, False]


def test_a_change_counts_when_it_has_settled():
    assert looks(Staleness(PRELOADED), 6, 7, 8, 8) == [False, False, False, True]


def test_one_reload_is_asked_for_once():
    assert looks(Staleness(PRELOADED), 6, 6, 6, 6) == [False, True, False, False]


def test_another_change_is_asked_for_at_once():
    assert looks(Staleness(PRELOADED), 6, 6, 7, 7) == [False, True, False, True]


def test_a_reload_that_failed_is_asked_for_again_with_growing_pauses():
    staleness = Staleness(PRELOADED)
    changed = {'one': 6, 'two': 9}
    asked = [now for now in range(1200) if staleness.look(changed, float(now))]
    assert asked == [1, 1 + FIRST_RETRY_SECONDS, 1 + 3 * FIRST_RETRY_SECONDS,
                     1 + 7 * FIRST_RETRY_SECONDS, 1 + 15 * FIRST_RETRY_SECONDS]


def test_a_call_is_obeyed_once_whoever_heard_it_and_a_lost_counter_is_no_call():
    calls = Calls(4)
    assert [calls.look(found) for found in (4, 5, 5, 7, 0, 0, 1)] == [
        False, True, False, True, False, False, True]
