# -*- coding: utf-8 -*-
"""wrk, one thread: a client that takes little of the processors it shares with the servers."""
import json
import os
import signal
import subprocess

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'wrk.lua')
#: how long an answer may take; a first request on a stock worker loads its registry
TIMEOUT_SECONDS = 60


class LoadFailed(Exception):
    """wrk did not run to its end."""


class Outcome(object):
    """What one burst of load has seen. Latencies in milliseconds."""

    def __init__(self, told):
        self.requests, self.failed = told['requests'], told['failed']
        self.seconds = told['microseconds'] / 1e6
        self.per_second = (told['requests'] - told['failed']) / self.seconds
        self.p50, self.p95, self.p99 = (told[name] / 1e3 for name in ('p50', 'p95', 'p99'))


def lua(value):
    """`value` (text, number, list, dictionary, None) as a Lua literal."""
    if value is None:
        return 'nil'
    if isinstance(value, str):
        return '"%s"' % ''.join(
            chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else '\\%03d' % byte
            for byte in value.encode('utf-8'))
    if isinstance(value, dict):
        return '{%s}' % ', '.join('[%s]=%s' % (lua(key), lua(each)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return '{%s}' % ', '.join(map(lua, value))
    return repr(value)


def write_work(path, requests, sound=None):
    """Write what wrk.lua reads: prepared requests, and what a sound answer has in it."""
    with open(path, 'w') as stream:
        stream.write('return {requests = %s, sound = %s}\n' % (
            lua([request.as_dict() for request in requests]), lua(sound)))
    return path


def burst(url, work_path, seconds, connections):
    """Load `url` for `seconds` over so many connections; the :class:`Outcome`.

    wrk knows whole seconds only, but ends in order when it is interrupted, and tells how long it ran.
    """
    command = ['wrk', '--threads', '1', '--connections', str(connections), '--latency',
               '--duration', '1h', '--timeout', '%ds' % TIMEOUT_SECONDS, '--script', SCRIPT, url, '--',
               work_path]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               universal_newlines=True)
    try:
        try:
            printed = process.communicate(timeout=seconds)[0]  # it ended by itself: something is wrong
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            printed = process.communicate(timeout=2 * TIMEOUT_SECONDS)[0]
    finally:
        process.kill()  # also when the part's time is up
        process.wait()
    for line in printed.splitlines():
        if line.startswith('RESULT '):
            return Outcome(json.loads(line[len('RESULT '):]))
    raise LoadFailed("wrk ended with code %d: %s" % (process.returncode, printed.strip()[-500:]))
