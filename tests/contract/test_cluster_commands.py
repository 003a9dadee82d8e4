# -*- coding: utf-8 -*-
"""list, history, pause, resume and switchover as an operator types them, with agents that really run."""
import json
import os
import signal
import subprocess
import sys

import pytest
from candidate import TIMES, Candidate, Witness
from testbed import session
from testbed.waiting import wait_until

from oe_cluster_launch import cli
from oe_cluster_launch.cluster.membership import JoinRefused, Membership, members
from oe_cluster_launch.errors import EXIT_CONFIGURATION, EXIT_FAILURE, EXIT_OK, EXIT_USAGE
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store


@pytest.fixture
def operator(redis_server, monkeypatch, capsys):
    """A function that types a command: (exit code, what it printed)."""
    monkeypatch.setenv('OE_CLUSTER_REDIS_URL', redis_server.url)

    def type_in(*words):
        capsys.readouterr()
        code = cli.main(list(words))
        out, err = capsys.readouterr()
        return code, out + err
    return type_in


@pytest.fixture
def crowd(session_folder, redis_server):
    """Nodes a, b and c at work, a leading: (candidates by name, witness)."""
    witness = Witness(os.path.join(session.fresh_folder('witness'), 'lines'))
    nodes = {}
    for name in 'abc':
        profile = {'address': '10.0.0.1:80', 'version': '0.1.0', 'host_version': '7.0',
                   'addons': 'odd' if name == 'c' else 'usual'}
        nodes[name] = Candidate(session.fresh_folder('candidate-' + name), name, witness.path,
                                redis_url=redis_server.url, profile=profile).start()
        witness.wait_for(lambda line: line.node == 'a', 5, "a leads")
    store = Store(load_settings().replace(redis_url=redis_server.url))
    wait_until(lambda: len([m for m in members(store) if m['role'] == 'candidate']) == 2, 5, "two candidates")
    yield nodes, witness
    for node in nodes.values():
        node.kill_all()


def test_list_shows_every_node_and_what_differs(crowd, operator):
    code, text = operator('list')
    assert code == EXIT_OK
    assert 'a leads cron, term 1' in text
    rows = dict((line.split('|')[1].strip(), line) for line in text.splitlines() if line.startswith('| '))
    assert ' leader ' in rows['a']
    assert ' candidate ' in rows['b']
    assert 'other addons' in rows['c']
    assert 'other addons' not in rows['a']


def test_list_in_json_and_tsv(crowd, operator):
    answer = json.loads(operator('list', '-f', 'json')[1])
    assert (answer['leader'], answer['term']) == ('a', 1)
    assert [member['node'] for member in answer['members']] == ['a', 'b', 'c']
    lines = operator('list', '-f', 'tsv')[1].splitlines()
    assert [line.split('\t')[0] for line in lines] == ['node', 'a', 'b', 'c']


def test_watch_shows_the_list_again_and_again_until_interrupted(crowd, redis_server):
    nodes, _ = crowd
    watch = subprocess.Popen(
        [sys.executable, '-m', 'oe_cluster_launch', 'list', '--watch', '0.2', '-f', 'tsv'],
        env=dict(os.environ, OE_CLUSTER_REDIS_URL=redis_server.url),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        # a test run in the background of a shell ignores it, and so would its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        seen = []

        def state_of_b():
            cells = watch.stdout.readline().decode('utf-8').split('\t')
            seen.append(cells[0])
            return cells if cells[0] == 'b' else None
        wait_until(lambda: 'running' in (state_of_b() or ()), 10, "b runs")
        nodes['b'].kill_all()
        wait_until(lambda: 'lost' in (state_of_b() or ()), TIMES['member_ttl'] + 5, "b is lost")
        assert seen.count('node') > 2, "several screens"
        redis_server.pause()
        wait_until(lambda: 'Redis' in watch.stdout.readline().decode('utf-8'), 15, "it says so")
        redis_server.resume()
        wait_until(state_of_b, 15, "and goes on")
        watch.send_signal(signal.SIGINT)
        rest = watch.communicate()[0]
        assert watch.returncode == EXIT_OK
        assert b'Traceback' not in rest
    finally:
        if watch.poll() is None:
            watch.kill()


def test_a_vanished_node_is_shown_as_lost(crowd, operator):
    nodes, _ = crowd
    nodes['b'].kill_all()
    wait_until(lambda: [line for line in operator('list')[1].splitlines()
                        if '| b ' in line and 'lost' in line], TIMES['member_ttl'] + 2, "b is lost")


def test_an_empty_cluster_is_exit_code_1(operator):
    code, text = operator('list')
    assert code == EXIT_FAILURE
    assert 'nobody leads cron' in text


def test_switchover_to_a_node_and_history(crowd, operator):
    _, witness = crowd
    code, text = operator('switchover', '--to', 'c')
    assert (code, text.startswith('c leads now, term 2')) == (EXIT_OK, True), text
    witness.wait_for(lambda line: line.node == 'c', 2, "c works")
    code, text = operator('switchover')
    assert code == EXIT_OK and 'term 3' in text
    tenures = json.loads(operator('history', '-f', 'json')[1])
    assert [tenure['node'] for tenure in tenures[:2]] == ['a', 'c']
    assert 'switchover to c' in tenures[0]['why']
    assert 'until_ms' not in tenures[-1]
    assert 'why it ended' in operator('history')[1]
    assert witness.faults() == []


def test_switchover_to_nobody_is_refused(crowd, operator):
    code, text = operator('switchover', '--to', 'zebra')
    assert code == EXIT_USAGE
    assert 'Candidates: b, c' in text


def test_pause_waits_until_nothing_runs_and_resume_goes_on(crowd, operator):
    _, witness = crowd
    code, text = operator('pause', '--reason', 'new disks')
    assert code == EXIT_OK, text
    stopped = len(witness.lines())
    assert 'new disks' in operator('list')[1]
    assert operator('switchover')[0] == EXIT_USAGE
    assert len(witness.lines()) == stopped, "nothing ran after pause had returned"
    assert operator('resume') == (EXIT_OK, 'Cron goes on.\n')
    wait_until(lambda: len(witness.lines()) > stopped, 2, "work goes on")
    assert operator('resume') == (EXIT_OK, 'Cron was not paused.\n')
    assert witness.faults() == []


def test_a_pause_may_end_by_itself(crowd, operator):
    _, witness = crowd
    operator('pause', '--for', '0.02')
    stopped = len(witness.lines())
    wait_until(lambda: len(witness.lines()) > stopped, 4, "work goes on")


def test_a_leader_that_was_killed_is_in_the_history(crowd, operator):
    nodes, witness = crowd
    nodes['a'].kill_all()
    witness.wait_for(lambda line: line.term == 2, 6, "another leads")
    assert 'not renewed' in operator('history')[1]


def membership_of(redis_server, node, token='t', **profile):
    settings = load_settings().replace(redis_url=redis_server.url, member_ttl=2.0)
    return Membership(Store(settings), settings, node, token, profile)


def test_a_node_with_another_key_is_refused_at_join(redis_server):
    membership_of(redis_server, 'a', keys=['one']).report(state='running')
    membership_of(redis_server, 'b', keys=['one']).join()
    with pytest.raises(JoinRefused) as caught:
        membership_of(redis_server, 'b', keys=['two']).join()
    assert 'secret key' in str(caught.value)
    assert caught.value.exit_code == EXIT_CONFIGURATION


def test_a_vanished_node_refuses_nobody(redis_server):
    membership_of(redis_server, 'a', keys=['one']).report(state='running')
    redis_server.ask('DEL', 'oe:member:a')
    membership_of(redis_server, 'b', keys=['two']).join()


def test_a_running_node_learns_that_it_does_not_belong(redis_server):
    membership_of(redis_server, 'a', postgres='1').report(state='running')
    assert 'PostgreSQL' in membership_of(redis_server, 'b', postgres='2').report(state='running')


def test_a_namesake_on_another_machine_is_noticed(redis_server):
    first = membership_of(redis_server, 'a', 'run-1')
    first._record['machine'] = 'elsewhere'
    first.report(state='running')
    assert 'elsewhere' in membership_of(redis_server, 'a', 'run-2').report(state='running')


def test_a_later_run_of_the_node_keeps_its_record(redis_server):
    old, new = membership_of(redis_server, 'a', 'run-1'), membership_of(redis_server, 'a', 'run-2')
    old.report(state='stopping')
    new.report(state='running', candidate_priority=100)
    old.leave()
    assert redis_server.ask('EXISTS', 'oe:member:a') == '1'
    new.leave()
    assert redis_server.ask('KEYS', 'oe:*') == ''


def test_records_expire_and_the_index_forgets(redis_server):
    membership_of(redis_server, 'a').report(state='running', candidate_priority=5)
    assert 0 < int(redis_server.ask('PTTL', 'oe:member:a')) <= 2000
    redis_server.ask('ZADD', 'oe:members-seen', '1', 'ancient')
    redis_server.ask('ZADD', 'oe:candidates', '1', 'ancient')
    membership_of(redis_server, 'a').report(state='running')
    assert redis_server.ask('ZRANGE', 'oe:members-seen', '0', '-1') == 'a'
    assert redis_server.ask('ZRANGE', 'oe:candidates', '0', '-1') == '', "a is no candidate any more either"
