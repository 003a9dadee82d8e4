# -*- coding: utf-8 -*-
"""The doctor's runner: every check comes to an end, and none stops another."""
import os
import signal
import time

import pytest

from oe_cluster_launch.check import report
from oe_cluster_launch.check.context import Context
from oe_cluster_launch.check.machine import judge_kernel, judge_processes
from oe_cluster_launch.check.postgresql import Budget, judge_version
from oe_cluster_launch.check.result import FAIL, OK, SKIP, WARN, fail, ok, warn
from oe_cluster_launch.check.runner import Check, run_all
from oe_cluster_launch.check.table import CHECKS
from oe_cluster_launch.commands.check import exit_code
from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.errors import ConfigurationError, Fault, RedisUnavailable


def good(context):
    return ok('good')


def raising(error):
    def function(context):
        raise error
    return function


def outcomes(*checks, **more):
    return list(run_all(checks, Context(None, []), **more))


def one(function):
    result, = outcomes(Check('area', 'name', function))[0].results
    return result


def test_a_check_that_hangs_is_ended_and_the_others_run(tmp_path):
    def hangs(context):
        (tmp_path / 'pid').write_text(u'%d' % os.getpid())
        time.sleep(30)
    began = monotonic()
    found = outcomes(Check('a', 'hangs', hangs), Check('a', 'good', good), limit_seconds=1)
    assert not os.path.exists('/proc/%s' % (tmp_path / 'pid').read_text())
    assert [outcome.results[0].status for outcome in found] == [FAIL, OK]
    assert 'no answer' in found[0].results[0].found
    assert monotonic() - began < 60


def test_a_check_that_dies_is_a_failure_of_its_own():
    assert one(lambda context: os.kill(os.getpid(), signal.SIGKILL)).status == FAIL


@pytest.mark.parametrize('error, word', [
    (RedisUnavailable("Redis at x: away."), 'Redis at x: away'),
    (ZeroDivisionError(u'fünf'.encode('utf-8')), 'ZeroDivisionError'),
    (ConfigurationError([Fault('workers', '-1', 'is negative', 'Mend it')]), 'workers = -1: is negative')])
def test_what_goes_wrong_in_a_check_is_its_result(error, word):
    result = one(raising(error))
    assert result.status == FAIL and word in result.sentence and result.remedy


def test_values_pass_through_the_pipe_whatever_their_encoding_and_size():
    text = u'Größe ' * 50000
    assert one(lambda context: fail(text.encode('utf-8'), b'caf\xe9', 'k', 7)).found == text
    assert one(lambda context: warn(text, 'r', 'k', 7)).sentence.startswith('k = 7: ')


def test_what_a_check_needs_and_has_not_got_leaves_it_out_with_the_reason():
    context = Context(None, [])
    context.wrong = {'redis_url'}
    found = list(run_all([
        Check('a', 'bad', raising(RedisUnavailable('away'))), Check('a', 'next', good, after=('a bad',)),
        Check('a', 'last', good, after=('a next',)), Check('a', 'setting', good, ('redis_url',)),
        Check('a', 'free', good)], context))
    assert [outcome.results[0].status for outcome in found] == [FAIL, SKIP, SKIP, SKIP, OK]
    assert 'redis_url' in found[3].results[0].found


def test_a_missing_file_leaves_out_all_that_rests_on_it(tmp_path):
    context = Context(str(tmp_path / 'none.conf'), [])
    found = dict((outcome.check.title, outcome.results[0]) for outcome in run_all(
        [check for check in CHECKS if not check.here or check.name == 'settings'], context))
    assert found['configuration settings'].status == FAIL
    assert found['redis server'].status == found['key file'].status == SKIP
    assert found['machine kernel'].status == OK


def test_checks_come_after_what_they_need_and_no_two_have_one_name():
    titles = [check.title for check in CHECKS]
    assert len(set(titles)) == len(titles)
    for index, check in enumerate(CHECKS):
        assert set(check.after) <= set(titles[:index]), check.title


@pytest.mark.parametrize('statuses, strict, code', [
    ([OK, SKIP], False, 0), ([OK, SKIP], True, 0), ([WARN], False, 0), ([WARN], True, 1),
    ([FAIL, OK], False, 1)])
def test_the_exit_code_says_whether_something_failed(statuses, strict, code):
    counts = dict.fromkeys([OK, WARN, FAIL, SKIP], 0)
    for status in statuses:
        counts[status] += 1
    assert exit_code(counts, strict) == code


def test_the_table_shows_status_name_and_remedy_and_cuts_no_word():
    found = outcomes(Check('a', 'long', lambda context: warn('word ' * 60, 'Do this', 'key', 'v')))
    lines = list(report.area_lines('a', found))
    assert lines[0] == 'a' and lines[1].startswith('  warn  long') and 'key = v: word' in lines[1]
    assert lines[-1].strip() == 'remedy: Do this'
    assert max(map(len, lines)) <= 110
    assert report.summary(found) == '1 warnings'


# -------------------------------------------------------------------- what no test can have for real

@pytest.mark.parametrize('number, status', [
    (90124, FAIL), (90200, WARN), (90524, WARN), (90600, OK), (150003, OK)])
def test_an_old_postgresql(number, status):
    assert judge_version(number).status == status


def test_an_old_kernel():
    assert judge_kernel(True, '6.1').status == OK
    assert judge_kernel(False, '4.19').status == WARN


@pytest.mark.parametrize('limit, running, status', [
    (None, False, OK), (100, False, OK), (69, False, WARN), (59, False, FAIL), (59, True, WARN),
    (60, True, OK)])
def test_processes_must_suffice_for_a_start_and_should_for_a_reload(limit, running, status):
    assert judge_processes(limit, 'a shell', 10, 50, running).status == status


def test_the_budget_counts_nodes_workers_and_databases():
    budget = Budget([8, 8, 8], cron_workers=2, databases=2, limit=64, available=100)
    assert (budget.processes, budget.held, budget.peak) == (29, 58, 116)
    assert Budget([8], 1, databases=40, limit=8, available=100).held == 80  # db_maxconn bounds a process
