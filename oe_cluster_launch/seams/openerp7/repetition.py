# -*- coding: utf-8 -*-
"""A call whose PostgreSQL connection was ended is made again, when nothing of it can be committed.

Connections end while a database is copied (eviction.py), when an administrator
terminates them, when PostgreSQL is restarted. OpenERP repeats a call that was
rolled back by a serialization failure, and lets one fail that lost its
connection. Here both are repeated, the latter from the very beginning, with
its arguments as they came. Once a COMMIT was sent the call is never repeated:
nobody knows whether it was heard. What a call did outside of PostgreSQL it
does again, as it does in OpenERP's own repetition.
"""
import contextlib
import logging
import random
import threading
import time

from oe_cluster_launch.ormcache import request
from oe_cluster_launch.seams.seam import Seam
from oe_cluster_launch.seams.shape import Function

#: as many as OpenERP's own
MOST_REPETITIONS = 5
#: before the n-th repetition at most so long times 2 ** n
PAUSE_SECONDS = 0.05
#: creates and drops databases, which no transaction holds together
NEVER_REPEATED = 'db'
TITLE = "Look before you do it again"
UNKNOWN = ("The connection to the database was lost while your work was being saved. It may have been saved, "
           "or not: please look before you do it again.")

_logger = logging.getLogger(__name__)
_thread = threading.local()


class Attempt(object):
    """One execution of a call, in one thread.

    :ivar lost: a connection that it used was found ended
    :ivar committing: something was sent that may stay: a COMMIT, or a statement that commits itself
    :ivar unknown: and no answer to it came
    """

    def __init__(self, outer=None):
        self.lost = self.committing = self.unknown = False
        self._outer = outer

    def note(self, what):
        """Of a call within a call, both are told."""
        setattr(self, what, True)
        if self._outer is not None:
            self._outer.note(what)

    @property
    def leaves_nothing(self):
        """It lost a connection, and PostgreSQL has rolled back all that it did."""
        return self.lost and not self.committing


def note(what):
    """Tell the call that this thread is at, if any: `lost`, `committing` or `unknown`."""
    attempt = getattr(_thread, 'attempt', None)
    if attempt is not None:
        attempt.note(what)


@contextlib.contextmanager
def apart(wanted=True):
    """Within, when `wanted`, what is committed is no work of the call: it may be repeated all the same."""
    if not wanted:
        yield
        return
    inner = Attempt()
    try:
        with _new_attempt(inner):
            yield
    finally:
        if inner.lost:
            note('lost')


class _new_attempt(object):
    """`with _new_attempt(attempt):` lets this thread be at it."""

    def __init__(self, attempt):
        self._attempt = attempt

    def __enter__(self):
        self._outer = getattr(_thread, 'attempt', None)
        _thread.attempt = self._attempt
        return self._attempt

    def __exit__(self, kind, error, traceback):
        _thread.attempt = self._outer


def repeating_dispatch(original, context):
    """dispatch_rpc, again and again while it loses its connection before it commits."""
    def dispatch_rpc(service_name, method, params):
        if service_name == NEVER_REPEATED:
            return original(service_name, method, params)
        kept, repetitions = _copy(params), 0
        while True:
            with _new_attempt(Attempt(getattr(_thread, 'attempt', None))) as attempt:
                try:
                    return original(service_name, method, params)
                except Exception:
                    if attempt.unknown:
                        _logger.exception("%s.%s: connection lost during COMMIT", service_name, method)
                        raise _for_clients()
                    if repetitions >= MOST_REPETITIONS or not attempt.leaves_nothing or _models_changed():
                        raise
            repetitions += 1
            _logger.info("%s.%s lost its connection to PostgreSQL before it had committed anything: "
                         "repetition %d of %d", service_name, method, repetitions, MOST_REPETITIONS)
            time.sleep(random.uniform(0, PAUSE_SECONDS * 2 ** repetitions))
            params = _copy(kept)
    return dispatch_rpc


def _copy(value):
    """The containers anew, the leaves shared: a method may change what it was given."""
    if type(value) is dict:
        return dict((key, _copy(each)) for key, each in value.items())
    if type(value) in (list, tuple):
        return type(value)([_copy(each) for each in value])
    return value


def _models_changed():
    """Whether the request has changed models in this process: they are not what they were before it."""
    return any(state.models_touched or state.models_changed for state in request.current().databases())


def _for_clients():
    from openerp.osv.osv import except_osv
    return except_osv(TITLE, UNKNOWN)


SEAMS = [
    Seam('repeated call', 'openerp.netsvc', 'dispatch_rpc', Function('service_name', 'method', 'params'),
         repeating_dispatch,
         "whoever asks while a database is copied, or a connection is terminated, would get an error"),
]
