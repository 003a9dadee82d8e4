# -*- coding: utf-8 -*-
"""One line per long step: what is being done, then how long it took.

Steps may overlap (installation has two lanes): a step whose line was interrupted by another
gets a second line when it ends.
"""
import contextlib
import sys
import threading
import time

_lock = threading.Lock()
_unfinished_line = [None]


@contextlib.contextmanager
def step(what):
    """Print `what ...` while the block runs and its seconds at the end."""
    line = "  %-58s " % (what + " ...")
    _print(line, begins=True)
    begun = time.time()
    try:
        yield
    except BaseException:
        _print(line, "failed after %.0f s" % (time.time() - begun))
        raise
    _print(line, "%.0f s" % (time.time() - begun))


def say(sentence):
    """Print one line."""
    with _lock:
        _end_line()
        print(sentence)
        sys.stdout.flush()


def _print(line, end='', begins=False):
    with _lock:
        if _unfinished_line[0] != line:
            _end_line()
            sys.stdout.write(line)
        _unfinished_line[0] = line if begins else None
        sys.stdout.write(end if begins else end + '\n')
        sys.stdout.flush()


def _end_line():
    if _unfinished_line[0]:
        sys.stdout.write('\n')
    _unfinished_line[0] = None
