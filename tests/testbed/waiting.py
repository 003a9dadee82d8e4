# -*- coding: utf-8 -*-
"""Waiting for something to become true, instead of sleeping and hoping."""
import time

from .problem import Problem

INTERVAL_SECONDS = 0.02


def wait_until(condition, timeout_seconds, what, interval_seconds=INTERVAL_SECONDS):
    """Return the first true answer of `condition()`, or raise Problem after the timeout.

    `what` completes the sentence "waited 10 s in vain until ...". Exceptions of `condition`
    are not swallowed: a condition that may fail says so by returning something false.
    """
    deadline = time.time() + timeout_seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.time() > deadline:
            raise Problem("waited %g s in vain until %s" % (timeout_seconds, what))
        time.sleep(interval_seconds)
