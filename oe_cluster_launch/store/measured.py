# -*- coding: utf-8 -*-
"""What every round trip to Redis leaves in the metrics: its time, its purpose, its fault.

The purpose is that of the script, by its name, else that of the Store. How
many round trips a thread has made is kept too, so that a request can say how
many were its own.
"""
import ssl
import threading

from redis import exceptions

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.metrics import table
from oe_cluster_launch.store.scripts import name_of

_PURPOSES = {'session': 'sessions', 'cache': 'ormcache', 'lease': 'cron', 'member': 'cluster'}
#: how the server's own messages begin
_REASONS = (('NOPERM', 'permission'), ('NOAUTH', 'authentication'), ('WRONGPASS', 'authentication'),
            ('OOM', 'memory'), ('READONLY', 'read only'), ('READ ONLY', 'read only'))


class _Thread(threading.local):
    round_trips = 0


_thread = _Thread()


def round_trips():
    """How many round trips this thread has made so far."""
    return _thread.round_trips


class RoundTrip(object):
    """`with RoundTrip(purpose, command):` around one; `command` is what is sent, if it is one command."""

    __slots__ = ('_purpose', '_began')

    def __init__(self, purpose, command=()):
        script = name_of(command[1]) if command and command[0] == 'EVALSHA' else None
        self._purpose = _PURPOSES.get(script.split('_')[0], purpose) if script else purpose

    def __enter__(self):
        self._began = monotonic()

    def __exit__(self, kind, error, traceback):
        _thread.round_trips += 1
        table.REDIS_SECONDS.observe(monotonic() - self._began, self._purpose)


def failed(error):
    """A call failed for a reason that is the server's or the network's."""
    table.REDIS_ERRORS.count(_reason(error))


def _reason(error):
    if isinstance(error, exceptions.TimeoutError):
        return 'timeout'
    if isinstance(error, exceptions.AuthenticationError):
        return 'authentication'
    if isinstance(error, exceptions.ReadOnlyError):
        return 'read only'
    text = str(error).upper()
    for start, reason in _REASONS:
        if start in text:
            return reason
    if isinstance(error, (exceptions.ConnectionError, ssl.SSLError, ssl.CertificateError)):
        return 'connection'
    return 'other'
