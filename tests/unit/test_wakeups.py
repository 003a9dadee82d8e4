# -*- coding: utf-8 -*-
"""The agent's timer and signals, in a process of their own."""
import os
import signal
import socket
import time

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron.wakeups import Wakeups


def in_a_child(work):
    """Run `work` in a forked process; returns what it returned, a small number."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1] >> 8


def test_the_end_of_the_lease_interrupts_a_call_that_hangs():
    def work():
        wakeups = Wakeups(None)
        wakeups.take_signals(on_lease_over=lambda: os._exit(7))
        wakeups.arm(0.1)
        quiet, _other_end = socket.socketpair()
        quiet.settimeout(20)
        quiet.recv(1)
        return 1
    assert in_a_child(work) == 7


def test_a_disarmed_timer_does_nothing():
    def work():
        wakeups = Wakeups(None)
        wakeups.take_signals(on_lease_over=lambda: os._exit(7))
        wakeups.arm(0.1)
        wakeups.disarm()
        time.sleep(0.3)
        return 0
    assert in_a_child(work) == 0


def test_a_signal_that_came_before_the_wait_ends_it():
    """t0 the signal's flag was looked at, t1 the signal comes, t2 the wait begins: it must not last."""
    def work():
        wakeups = Wakeups(None)
        wakeups.take_signals(on_lease_over=lambda: None)
        os.kill(os.getpid(), signal.SIGTERM)
        before = monotonic()
        wakeups.wait(5.0)
        return 0 if wakeups.stopping and monotonic() - before < 1 else 1
    assert in_a_child(work) == 0
