# -*- coding: utf-8 -*-
"""The arithmetic of the benchmarks: ratios, verdicts, comparisons, what is kept in JSON."""
import pytest

from benchmarks.requests_per_second import in_turn, long_enough
from benchmarks.scaling import limits
from benchmarks.suite import compare, figures, tables, targets, wrk
from benchmarks.suite.figures import Ratio
from benchmarks.suite.run import Run, Series
from benchmarks.suite.workloads import SHORT, Request


def run_with(part, name, stock, ours, system='ours', unit='ms', higher_is_better=False):
    run = Run(machine={'processors': '2 × X'})
    run.new(part, name, unit, higher_is_better=higher_is_better, samples={'stock': stock, system: ours})
    return run


@pytest.mark.parametrize('samples, share, expected', [
    ([3], 0.5, 3), ([1, 2], 0.5, 1.5), ([9, 1, 5], 0.5, 5), ([1, 2, 3, 4, 5], 0.25, 2), ([0, 10], 0.95, 9.5),
    ([4, 1], 1.0, 4), ([4, 1], 0.0, 1)])
def test_a_percentile_is_interpolated(samples, share, expected):
    assert figures.percentile(samples, share) == pytest.approx(expected)


def test_no_samples_have_no_median():
    with pytest.raises(ValueError):
        figures.median([])


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_the_turns():
    # the second turn was slow for both: medians and turns must not be mixed up
    assert figures.ratio([20, 100, 30], [10, 200, 10]) == Ratio(3.0, 0.5, 3.0)


def test_turns_that_cannot_be_paired_spread_over_the_extremes():
    assert figures.ratio([10, 20], [5, 5, 10]) == Ratio(3.0, 1.0, 4.0)


@pytest.mark.parametrize('samples, baseline', [([1], []), ([], [1]), ([1], [0]), ([1], [5, 0])])
def test_there_is_no_ratio_to_nothing(samples, baseline):
    assert figures.ratio(samples, baseline) is None


def test_the_baseline_has_no_ratio_to_itself():
    series = Series('x', 'y', 'ms', samples={'stock': [1], 'ours': [2]})
    assert series.ratio('stock') is None and series.ratio('ours').value == 2.0
    assert series.ratio('absent') is None


@pytest.mark.parametrize('old, new, higher, expected', [
    (Ratio(1, 0.9, 1.1), Ratio(2, 1.9, 2.1), True, 'better'),
    (Ratio(1, 0.9, 1.1), Ratio(2, 1.9, 2.1), False, 'worse'),
    (Ratio(2, 1.9, 2.1), Ratio(1, 0.9, 1.1), True, 'worse'),
    (Ratio(2, 1.9, 2.1), Ratio(1, 0.9, 1.1), False, 'better'),
    (Ratio(1, 0.9, 1.5), Ratio(2, 1.4, 2.1), True, 'same'),
    (Ratio(1, 0.9, 1.1), Ratio(2, 1.9, 2.1), None, 'same')])
def test_a_change_counts_when_the_spreads_are_apart(old, new, higher, expected):
    assert compare.verdict(old, new, higher) == expected


def test_runs_of_different_machines_are_compared_by_ratio():
    before = run_with('boot', 'a', [10, 10], [5, 5])
    now = run_with('boot', 'a', [100, 100], [80, 80])
    now.machine['processors'] = '64 × Y'
    text = compare.table(before, now)
    assert '| boot | a | ours | 0.50× (0.50–0.50) | 0.80× (0.80–0.80) | worse |' in text
    assert 'The machines differ' in text and '1 ratios compared: 0 better, 1 worse, 0 the same.' in text


def test_what_was_not_measured_again_is_named():
    before, now = run_with('boot', 'gone', [1], [1]), run_with('boot', 'new', [1], [1])
    assert 'Not measured now: gone.' in compare.table(before, now)


def verdict(run, start):
    return [each for each in targets.verdicts(run) if each.target.startswith(start)][0]


@pytest.mark.parametrize('ours, kept', [([13, 13], True), ([12.9, 12.9], False)])
def test_the_worst_workload_decides_a_target(ours, kept):
    run = run_with('requests', SHORT[0], [10, 10], [20, 20], 'ours 1x4', 'req/s', True)
    run.new('requests', SHORT[1], 'req/s', higher_is_better=True,
            samples={'stock': [10, 10], 'ours 1x4': ours})
    found = verdict(run, 'at least 1.3')
    assert found.kept is kept and 'worst of 2: %.2f×' % (ours[0] / 10.0) in found.measured


@pytest.mark.parametrize('ours, kept', [([5], True), ([5.1], False)])
def test_a_target_of_less_is_kept_by_less(ours, kept):
    found = verdict(run_with('boot', 'PSS per HTTP worker, 4 workers', [10], ours), 'PSS')
    assert found.kept is kept


def test_other_systems_decide_no_target():
    run = run_with('requests', SHORT[0], [10], [1], 'gunicorn', 'req/s', True)
    assert verdict(run, 'at least 1.3').kept is None


@pytest.mark.parametrize('commands, kept', [(2.0, True), (2.1, False)])
def test_redis_commands_are_a_target_without_a_ratio(commands, kept):
    run = Run()
    for unit, number in (('commands per request', commands), ('commands per second', 50)):
        run.new('redis', unit, unit, samples={'ours 1x4': [number], 'recipe': [9]}, baseline='recipe')
    assert verdict(run, 'at most 2 Redis').kept is kept


def test_a_run_survives_its_file(tmp_path):
    run = run_with('boot', 'a', [1.5], [2.5])
    run.remark('boot', 'said once')
    run.remark('boot', 'said once')
    run.save(str(tmp_path / 'run.json'))
    again = Run.load(str(tmp_path / 'run.json'))
    assert again.as_json() == run.as_json() and again.remarks == {'boot': ['said once']}


def test_what_was_begun_and_not_measured_is_not_shown():
    run = Run()
    run.new('boot', 'a name', 's')
    assert run.of_part('boot') == [] and 'a name' not in tables.page(run, {})


def test_results_of_another_format_are_refused():
    with pytest.raises(ValueError):
        Run.from_json({'format': 0})


def test_a_page_shows_median_spread_and_ratio():
    run = run_with('boot', 'a', [1, 2, 3], [4, 4, 4])
    assert '| a | ms | 2.00 (1.00–3.00) | 4.00 (4.00–4.00) **2.00×** (1.33–4.00) |' in tables.page(run, {})


def test_the_turns_begin_with_each_system_in_turn():
    assert [in_turn(3, turn) for turn in range(4)] == [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]


@pytest.mark.parametrize('per_second, expected', [(1000, 1.0), (20, 1.5), (2, 4.0), (0, 4.0)])
def test_a_slow_workload_gets_a_longer_burst(per_second, expected):
    assert long_enough(1.0, per_second) == expected


def test_the_model_finds_the_server_that_is_full_first():
    # a node of 4 cores gives 400 req/s at 10 ms; PostgreSQL (2 ms) is full at 5 of them, Redis (0.1 ms) at 25
    assert limits(10.0, 2.0, 0.1, 4) == {'per_node': 400.0, 'postgres': 5.0, 'redis': pytest.approx(25.0)}


def test_requests_reach_lua_byte_for_byte(tmp_path):
    body = '{"a": "\\"quoted\\" \n café ]]"}'
    request = Request('POST', '/x', {'A-B': 'c'}, body)
    path = wrk.write_work(str(tmp_path / 'work.lua'), [request], sound='"uid"')
    assert wrk.lua(body).isascii() and '\n' not in wrk.lua(body)
    with open(path) as stream:
        assert '["path"]="/x"' in stream.read()
    assert wrk.lua('a"b\\c') == r'"a\034b\092c"'
    assert wrk.lua(None) == 'nil' and wrk.lua([1, 2]) == '{1, 2}'


def test_a_failed_answer_is_not_a_request_served():
    told = {'requests': 100, 'failed': 40, 'microseconds': 2000000, 'p50': 1000, 'p95': 2000, 'p99': 3000}
    outcome = wrk.Outcome(told)
    assert (outcome.per_second, outcome.p50) == (30.0, 1.0)

