# -*- coding: utf-8 -*-
"""All checks, one after the other, each bounded in time, whatever becomes of it.

A check runs in a forked child and tells its results through a pipe: neither a
frozen server nor a dead network mount nor a crash stops the others. A child
that is stuck in the kernel cannot even be killed; it is left behind. One
after the other, so that the checks do not disturb what they measure.
"""
import errno
import json
import os
import select
import signal
import time

from oe_cluster_launch.check.result import FAIL, SKIP, Result, fail, from_fault, skip
from oe_cluster_launch.compat import monotonic, string_types, text_type
from oe_cluster_launch.errors import ConfigurationError, LaunchError

#: longest time for one check, in seconds; longer than any time-out inside it
LIMIT_SECONDS = 15.0
#: how long to wait for the end of a child that was killed
_REAP_SECONDS = 1.0


class Check(object):
    """One row of the table.

    :ivar function: function(context) returns a Result or a list of them
    :ivar settings: settings it needs; it is left out when one is wrong
    :ivar after: names of checks without whose success it makes no sense
    :ivar at_start: a failure keeps the node from starting
    :ivar here: run in this process, for what it changes in it
    """

    def __init__(self, area, name, function, settings=(), after=(), at_start=False, here=False):
        self.area = area
        self.name = name
        self.function = function
        self.settings = settings
        self.after = after
        self.at_start = at_start
        self.here = here

    @property
    def title(self):
        return '%s %s' % (self.area, self.name)


class Outcome(object):
    """A check and what it found."""

    def __init__(self, check, results, seconds):
        self.check = check
        self.results = results
        self.seconds = seconds

    @property
    def passed(self):
        """Whether checks that come after this one make sense."""
        return all(result.status not in (FAIL, SKIP) for result in self.results)


def run_all(checks, context, limit_seconds=LIMIT_SECONDS):
    """Yield the :class:`Outcome` of each check as it becomes known."""
    passed = set()
    for check in checks:
        began = monotonic()
        results = _reason_to_skip(check, context, passed) or (
            attempt(check, context) if check.here else _in_a_child(check, context, limit_seconds))
        outcome = Outcome(check, results, monotonic() - began)
        if outcome.passed:
            passed.add(check.title)
        yield outcome


def attempt(check, context):
    """The results of a check in this process; what goes wrong in it is a failure of its own."""
    try:
        results = check.function(context)
        return results if isinstance(results, list) else [results]
    except ConfigurationError as error:
        return [from_fault(fault) for fault in error.faults]
    except LaunchError as error:
        return [fail(str(error).rstrip('.'), "Then run the check again")]
    except Exception as error:  # the other checks must run; a traceback would tell an operator less
        return [fail("cannot be checked: %s: %s" % (type(error).__name__, ' '.join(str(error).split())),
                     "If that does not say what to do, it is a fault of the launcher: report it")]


def _reason_to_skip(check, context, passed):
    if '-c' in context.wrong and check.settings + check.after:
        return [skip("needs the configuration file")]
    wrong = sorted(context.wrong.intersection(check.settings))
    if wrong:
        return [skip("needs %s, which is wrong" % ', '.join(wrong))]
    missing = [title for title in check.after if title not in passed]
    if missing:
        return [skip("needs: %s" % ', '.join(missing))]
    return None


def _in_a_child(check, context, limit_seconds):
    read_end, write_end = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:
        os.close(read_end)
        os.close(write_end)
        return [fail("no process can be started: %s" % error.strerror, "Raise the limit of processes, nproc")]
    if not pid:
        _child(check, context, write_end)
    os.close(write_end)
    text = _read(read_end, limit_seconds)
    os.close(read_end)
    if text is None:
        os.kill(pid, signal.SIGKILL)
    _reap(pid)
    if text is None:
        return [fail("no answer within %g s" % limit_seconds,
                     "See whether the server or the mount it asks is frozen or overloaded")]
    if not text:
        return [fail("the check died", "See the kernel's log: too little memory?")]
    return [Result(**values) for values in json.loads(text.decode('utf-8'))]


def _child(check, context, write_end):
    """Never returns."""
    try:
        results = [dict((name, _text(value)) for name, value in vars(result).items())
                   for result in attempt(check, context)]
        data = json.dumps(results).encode('utf-8')
        while data:
            data = data[os.write(write_end, data):]
    finally:
        os._exit(0)


def _text(value):
    """Any value as text that JSON can carry, whatever encoding a server's message has."""
    if isinstance(value, bytes):
        return value.decode('utf-8', 'replace')
    return value if isinstance(value, string_types) else text_type(value)


def _read(descriptor, seconds):
    """All that comes until the other end closes, or None when that takes too long."""
    parts, until = [], monotonic() + seconds
    while True:
        try:
            if not select.select([descriptor], [], [], max(0, until - monotonic()))[0]:
                return None
            part = os.read(descriptor, 65536)
        except (OSError, select.error) as error:
            if error.args[0] == errno.EINTR:
                continue
            raise
        if not part:
            return b''.join(parts)
        parts.append(part)


def _reap(pid):
    until = monotonic() + _REAP_SECONDS
    while not os.waitpid(pid, os.WNOHANG)[0] and monotonic() < until:
        time.sleep(0.005)
