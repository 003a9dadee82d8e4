# -*- coding: utf-8 -*-
"""One line per long step: what is being done, then how long it took."""
import contextlib
import sys
import time


@contextlib.contextmanager
def step(what):
    """Print `what ...` while the block runs and its seconds at the end."""
    sys.stdout.write("  %-58s " % (what + " ..."))
    sys.stdout.flush()
    begun = time.time()
    try:
        yield
    except BaseException:
        print("failed after %.0f s" % (time.time() - begun))
        raise
    print("%.0f s" % (time.time() - begun))
    sys.stdout.flush()


def say(sentence):
    """Print one line."""
    print(sentence)
    sys.stdout.flush()
