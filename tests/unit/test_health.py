# -*- coding: utf-8 -*-
"""What a node says of itself, from a board as its processes leave it."""
import json
import time

import pytest

from oe_cluster_launch.supervisor import board as board_module
from oe_cluster_launch.supervisor import health as health_module
from oe_cluster_launch.supervisor.board import ANSWERER, CRON_AGENT, HTTP_WORKER, Board
from oe_cluster_launch.supervisor.health import NodeHealth
from oe_cluster_launch.supervisor.probes import Probe, finding


class Host(object):
    def databases(self):
        return ['one', 'two']

    def preloaded_sequences(self):
        return {'one': 1, 'two': 1}


class Node(object):
    name = 'a'
    host = Host()


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    for module in (board_module, health_module):
        monkeypatch.setattr(module, 'monotonic', lambda: now[0])
    return now


@pytest.fixture
def board(clock):
    made = Board()
    made.master.show('workers_wanted', 2)
    made.master.show('queue_limit', 100)
    for _ in range(2):
        made.take(HTTP_WORKER).ready = True
    answerer = made.take(ANSWERER)
    fine = dict(finding(0.002, None), at=clock[0])
    answerer.describe(json.dumps({'redis': fine, 'postgresql': fine}))
    return made


def ready(board):
    answer = NodeHealth(Node(), board).ready({})
    return int(answer.status[:3]), json.loads(answer.body)['status']


def test_a_healthy_node(board):
    assert ready(board) == (200, 'pass')


@pytest.mark.parametrize('figures, busy, gone, expected', [
    ({}, 2, 0, (200, 'pass')),                       # busy, nobody waits
    ({'queued': 5}, 1, 0, (200, 'pass')),            # about to be taken
    ({'queued': 5}, 2, 0, (200, 'warn')),
    ({'queued': 100}, 2, 0, (503, 'fail')),          # the kernel turns the next one away
    ({'workers_wanted': 3}, 0, 0, (200, 'warn')),
    ({}, 0, 2, (503, 'fail')),
])
def test_capacity(board, clock, figures, busy, gone, expected):
    for name, value in figures.items():
        board.master.show(name, value)
    slots = board.slots(HTTP_WORKER)
    for slot in slots[:busy]:
        slot.begin(clock[0], '{"path": "/x"}')
    for slot in slots[:gone]:
        board.give_back(slot)
    assert ready(board) == expected


def test_a_drain_and_a_silent_master_and_a_failed_probe_are_failures(board, clock):
    board.draining = True
    assert ready(board) == (503, 'fail')
    board.draining = False
    assert ready(board) == (200, 'pass')
    board.slots(ANSWERER)[0].describe(json.dumps(
        {'redis': dict(finding(1, "refused"), at=clock[0])}))
    assert ready(board) == (503, 'fail')


def test_a_master_that_hangs_is_not_alive(board, clock):
    health = NodeHealth(Node(), board)
    clock[0] += 15
    assert health.live({}).status.startswith('200')
    clock[0] += 15
    assert health.live({}).status.startswith('503')


def test_findings_of_an_answerer_that_is_gone_are_no_failure(board, clock):
    clock[0] += 11
    assert ready(board) == (200, 'warn')


def test_the_lease_ends_by_itself_on_the_board(board, clock):
    health, agent = NodeHealth(Node(), board), board.take(CRON_AGENT)
    assert health.leader({}).status.startswith('503')
    agent.show('lease_term', 7)
    agent.show('lease_until', clock[0] + 3)
    assert json.loads(health.leader({}).body)['checks']['cron:term'][0]['observedValue'] == 7
    clock[0] += 3
    assert health.leader({}).status.startswith('503')


def test_a_question_without_an_answer_becomes_a_failure(monkeypatch):
    from oe_cluster_launch.supervisor import probes
    monkeypatch.setattr(probes, 'OVERDUE_SECONDS', 0.05)
    probe = Probe('x', lambda: time.sleep(60))
    probe.start()
    assert probe.finding() is None
    time.sleep(0.2)
    assert probe.finding()['status'] == 'fail' and 'no answer' in probe.finding()['output']
