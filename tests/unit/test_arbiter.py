# -*- coding: utf-8 -*-
"""The master's signal queue: every signal is remembered, in order, and nothing else is done."""
import collections
import os
import signal

import pytest

gunicorn_arbiter = pytest.importorskip('gunicorn.arbiter')
arbiter_module = pytest.importorskip('oe_cluster_launch.supervisor.arbiter')


class Master(arbiter_module.NodeArbiter):
    """Only its queue and pipe."""

    def __init__(self):
        self.SIG_QUEUE = collections.deque()
        self.PIPE = os.pipe()
        self.set_nonblocking(*self.PIPE)


def test_twenty_signals_before_the_master_looks_are_all_there():
    master = Master()
    sent = [signal.SIGTTIN, signal.SIGTTOU, signal.SIGHUP, signal.SIGQUIT] * 5
    for number in sent:
        master.signal(number, None)
    assert list(master.SIG_QUEUE) == sent


def test_a_full_pipe_does_not_lose_a_signal_or_raise():
    master = Master()
    for _ in range(70000):
        master.wakeup()
    master.signal(signal.SIGTERM, None)
    assert list(master.SIG_QUEUE) == [signal.SIGTERM]
