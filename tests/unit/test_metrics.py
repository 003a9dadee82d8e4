# -*- coding: utf-8 -*-
"""Metrics over real forks: what dead processes counted stays, their files go, no reader sees it happen."""
import fcntl
import os
import signal
import traceback

import pytest

from oe_cluster_launch.metrics import families, files, page, table


def forked(function, *arguments):
    """Start a child that runs `function`; its pid."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            function(*arguments)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def in_child(function, *arguments):
    """Run `function` in a child of its own: prometheus_client looks once, when imported, where to count."""
    assert os.waitpid(forked(function, *arguments), 0)[1] == 0


def value(sample):
    """The number on the line of the page that begins like this, 0 when there is none."""
    found = [line for line in page.text().decode('utf-8').splitlines() if line.startswith(sample + ' ')]
    return float(found[0].split()[-1]) if found else 0.0


XMLRPC_OK = 'oe_cluster_requests_total{kind="xmlrpc",status="2xx"}'


@pytest.fixture
def folder(tmpdir):
    return str(tmpdir)


def test_nothing_is_recorded_and_nothing_is_imported_before_the_start():
    def work():
        import sys
        table.REQUESTS.count('xmlrpc', '2xx')
        table.BACKLOG.set(3)
        table.REQUEST_SECONDS.observe(1, 'xmlrpc')
        page.sweep()
        assert not page.is_on() and 'prometheus_client' not in sys.modules
        page.start(None)
        assert not page.is_on() and 'prometheus_client' not in sys.modules
    in_child(work)


def test_every_series_exists_at_zero_before_the_first_event(folder):
    def work():
        page.start(folder)
        text = page.text().decode('utf-8')
        for family in table.SHOWN:
            if not family.is_free:
                assert '\n%s' % family.name in text, family.name
                assert '# HELP %s %s' % (family.name, family.meaning) in text, family.name
        assert XMLRPC_OK + ' 0.0' in text
        assert table.LEASE_UNTIL.name not in text
    in_child(work)


def test_a_label_value_that_is_not_in_the_table_counts_as_the_last(folder):
    def work():
        page.start(folder)
        lines = len(page.text().splitlines())
        for number in range(100):
            table.REQUESTS.count('evil"} %d\n' % number, '2xx')
            table.REDIS_ERRORS.count('reason %d' % number)
        assert len(page.text().splitlines()) == lines
        assert value('oe_cluster_requests_total{kind="other",status="2xx"}') == 100
        assert value('oe_cluster_redis_errors_total{reason="other"}') == 100
    in_child(work)


def test_what_is_noted_and_written_later_is_what_is_written_at_once(folder):
    sizes = [0.0, 0.005, 0.0051, 0.3, 0.3, 119.9, 120, 121, 9999]

    def count():
        for size in sizes:
            table.REQUESTS.count('xmlrpc', '2xx')
            table.REQUESTS.add(2, 'static', '2xx')
            table.REQUEST_SECONDS.observe(size, 'xmlrpc')
            table.INVALIDATION_LAG_SECONDS.observe(size)

    def lines():
        return page.text().decode('utf-8').splitlines()

    def work():
        page.start(folder)
        before = lines()
        count()
        at_once = lines()
        families.later()
        count()
        later = lines()  # the page has written it
        assert lines() == later, "nothing is written twice"
        changed = 0
        for old, once, twice in zip(before, at_once, later):
            numbers = [float(line.split()[-1]) for line in (old, once, twice) if not line.startswith('#')]
            if numbers and numbers[0] != numbers[1]:
                changed += 1
                assert abs(numbers[2] - numbers[1] - (numbers[1] - numbers[0])) < 1e-6, twice
        assert changed > 20 and value(XMLRPC_OK) == 2 * len(sizes)
    in_child(work)


def test_counts_of_processes_that_ended_stay_and_their_files_go(folder):
    def count():
        table.REQUESTS.count('xmlrpc', '2xx')
        table.REQUEST_SECONDS.observe(0.3, 'xmlrpc')
        table.REQUEST_SECONDS.observe(999, 'xmlrpc')
        table.HTTP_WORKERS.set(1, 'busy')
        table.CRON_TERM.set(7)
        os.kill(os.getpid(), signal.SIGKILL)

    def work():
        page.start(folder)
        for life in range(1, 6):
            pid = forked(count)
            os.waitpid(pid, 0)
            assert value(XMLRPC_OK) == life
            assert files.sweep(folder) >= 3
            assert not [name for name in os.listdir(folder) if str(pid) in name]
            assert value(XMLRPC_OK) == life
            assert value('oe_cluster_request_seconds_bucket{kind="xmlrpc",le="0.25"}') == 0
            assert value('oe_cluster_request_seconds_bucket{kind="xmlrpc",le="0.5"}') == life
            assert value('oe_cluster_request_seconds_bucket{kind="xmlrpc",le="+Inf"}') == 2 * life
            assert abs(value('oe_cluster_request_seconds_sum{kind="xmlrpc"}') - life * 999.3) < 1e-6
        assert value('oe_cluster_http_workers{state="busy"}') == 0
        assert value('oe_cluster_cron_term') == 0
        assert files.sweep(folder) == 0
    in_child(work)


def test_readers_never_see_a_count_twice_or_not_at_all_while_files_are_folded(folder):
    def live_and_die():
        for _ in range(40):
            os.waitpid(forked(table.REQUESTS.count, 'xmlrpc', '2xx'), 0)
            files.sweep(folder)

    def work():
        page.start(folder)
        writer, seen = forked(live_and_die), [0.0]
        while not os.waitpid(writer, os.WNOHANG)[0]:
            seen.append(value(XMLRPC_OK))
        assert seen == sorted(seen) and len(seen) > 3
        while files.sweep(folder):
            pass
        assert value(XMLRPC_OK) == 40
    in_child(work)


def test_nobody_waits_for_a_process_that_holds_the_lock(folder, monkeypatch):
    monkeypatch.setattr(files, '_LOCK_SECONDS', 0.05)

    def work():
        page.start(folder)
        os.waitpid(forked(table.REQUESTS.count, 'xmlrpc', '2xx'), 0)
        with open(os.path.join(folder, 'lock'), 'a') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert files.sweep(folder) == 0
            with pytest.raises(files.Busy):
                page.text()
        assert files.sweep(folder) > 0
        assert value(XMLRPC_OK) == 1
    in_child(work)


def test_a_file_that_a_process_was_only_making_harms_nobody(folder):
    def work():
        page.start(folder)
        dead = forked(lambda: None)
        os.waitpid(dead, 0)
        open(os.path.join(folder, 'counter_%d.db' % dead), 'w').close()
        assert value(XMLRPC_OK) == 0
        assert files.sweep(folder) == 1
        assert value(XMLRPC_OK) == 0
    in_child(work)


def test_who_leads_is_worked_out_when_asked(folder):
    from oe_cluster_launch.compat import monotonic

    def work():
        page.start(folder)
        assert value('oe_cluster_cron_leader') == 0
        table.LEASE_UNTIL.set(monotonic() + 100)
        assert value('oe_cluster_cron_leader') == 1
        assert 90 < value('oe_cluster_cron_lease_seconds_left') <= 100
        table.LEASE_UNTIL.set(monotonic() - 1)
        assert value('oe_cluster_cron_leader') == 0
        assert value('oe_cluster_cron_lease_seconds_left') == 0
    in_child(work)


def test_names_and_labels_are_as_prometheus_wants_them():
    names = [family.name for family in table.TABLE]
    assert len(names) == len(set(names))
    for family in table.SHOWN:
        assert family.name.startswith('oe_cluster_') and family.meaning.endswith('.'), family.name
        assert family.name.endswith('_total') == (family.type == 'counter'), family.name
    most = 1
    for family in table.SHOWN:
        series = 1
        for _name, values in family.labels:
            series *= len(values or [0])
        most = max(most, series)
    assert most <= 120
