# -*- coding: utf-8 -*-
"""The keeper's channel to a master, under a rain of signals, as SIGCHLD and SIGTERM are in life."""
import json
import os
import signal
import time

import pytest

from oe_cluster_launch.supervisor import keeper_io
from oe_cluster_launch.supervisor.handover import Handover


@pytest.fixture
def rain():
    """A signal every tenth of a millisecond, with a handler, so that system calls fail with EINTR."""
    before = signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def channel():
    reader, writer = os.pipe()
    master = keeper_io.MasterProcess(os.getpid(), reader, 30)
    yield master, Handover(os.getpid(), writer, [])
    master.close()
    os.close(writer)


def test_no_report_is_lost_and_nothing_raised_while_signals_rain(channel, rain):
    master, handover = channel
    received = []
    until = time.time() + 1.0
    sent = 0
    while time.time() < until:
        handover.say('status', text='pass %d' % sent)
        sent += 1
        received += master.reports()
    received += master.reports()
    assert [report['text'] for report in received] == ['pass %d' % number for number in range(sent)]


def test_a_report_in_two_pieces_is_one_report(channel):
    master, handover = channel
    line = json.dumps({'say': 'ready'}).encode('ascii') + b'\n'
    os.write(handover.channel, line[:5])
    assert master.reports() == []
    os.write(handover.channel, line[5:])
    assert master.reports() == [{'say': 'ready'}]


def test_a_report_longer_than_the_pipe_waits_for_the_keeper(channel):
    master, handover = channel
    pid = os.fork()
    if not pid:
        handover.say('status', text='x' * 300000)
        os._exit(0)
    received = []
    until = time.time() + 10
    while not received and time.time() < until:
        received = master.reports()
        time.sleep(0.001)
    os.waitpid(pid, 0)
    assert len(received[0]['text']) == 300000
