# -*- coding: utf-8 -*-
"""gunicorn's own figures, sent to a statsd under gunicorn's names, when `statsd_host` says where.

    gunicorn.requests, gunicorn.request.duration, gunicorn.request.status.NNN
    gunicorn.workers
    gunicorn.log.critical, .error, .warning, .exception     log lines of the whole node

gunicorn's class does it; ours only knows where the node's log goes, and that a
statsd that is away is no reason to write into it. One UDP datagram each.
"""
import logging

from gunicorn.glogging import Logger
from gunicorn.instrument.statsd import Statsd

from oe_cluster_launch.compat import to_bytes
from oe_cluster_launch.supervisor.log import SupervisorLog


class StatsdLog(Statsd, SupervisorLog):
    """Handed to gunicorn as `logger_class`. Made in the master; workers inherit its socket."""

    # these count by way of the handler, with the lines of everybody else
    critical = Logger.critical
    error = Logger.error
    warning = Logger.warning
    exception = Logger.exception

    def __init__(self, cfg):
        Statsd.__init__(self, cfg)
        SupervisorLog.__init__(self, cfg)
        logging.getLogger().addHandler(_Counting(self))

    def info(self, msg, *args, **kwargs):
        """What gunicorn finds worth saying we say ourselves."""
        self.debug(msg, *args, **kwargs)

    def access(self, resp, req, environ, request_time):
        """One request was answered."""
        if resp.status:
            Statsd.access(self, resp, req, environ, request_time)

    def _sock_send(self, msg):
        try:
            if self.sock:
                self.sock.send(to_bytes(msg))
        except EnvironmentError:
            pass  # nobody listens there


class _Counting(logging.Handler):
    """Counts log lines; writes none."""

    def __init__(self, statsd):
        logging.Handler.__init__(self, logging.WARNING)
        self._statsd = statsd

    def emit(self, record):
        name = 'critical' if record.levelno >= logging.CRITICAL else \
            'exception' if record.exc_info else \
            'error' if record.levelno >= logging.ERROR else 'warning'
        self._statsd.increment('gunicorn.log.' + name, 1)
