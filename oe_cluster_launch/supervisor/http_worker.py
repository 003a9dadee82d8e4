# -*- coding: utf-8 -*-
"""The process that answers HTTP requests, one at a time, as OpenERP expects.

It takes connections until it is told to leave, has reached one of its limits,
or its listening socket has ended; what happens on a connection is
`exchange.py`. One thread besides the main one: the watchdog.
"""
import errno
import logging
import os
import select
import signal
import time

from gunicorn.workers.sync import SyncWorker

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.metrics import families, table
from oe_cluster_launch.ormcache.meter import meter
from oe_cluster_launch.supervisor import linux
from oe_cluster_launch.supervisor.board import HTTP_WORKER
from oe_cluster_launch.supervisor.exchange import Exchange
from oe_cluster_launch.supervisor.limits import Limits
from oe_cluster_launch.supervisor.titles import set_title
from oe_cluster_launch.supervisor.watchdog import Watchdog

_logger = logging.getLogger(__name__)

#: an idle worker looks up this often; also how late a lost signal is noticed
IDLE_SECONDS = 1.0
#: the main thread and the watchdog
OWN_THREADS = 2


class HttpWorker(SyncWorker):
    """gunicorn's synchronous worker with our own main loop.

    Constructed in the master before the fork, like gunicorn's; everything
    else runs in the worker.
    """

    def __init__(self, age, ppid, sockets, app, timeout, cfg, log):
        super(HttpWorker, self).__init__(age, ppid, sockets, app, timeout, cfg, log)
        #: the watchdog found it larger than limit_memory_soft
        self.has_grown = False
        self.slot = app.board.take(HTTP_WORKER)  # instead of gunicorn's heartbeat file
        self.node = app.node
        self.limits = None

    def init_signals(self):
        super(HttpWorker, self).init_signals()
        signal.signal(signal.SIGINT, self.handle_exit)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        # the watchdog waits for it, in a thread
        linux.block_signals(signal.SIGQUIT)

    def run(self):
        """The main loop; returns when this worker shall end."""
        config = self.node.host.config
        self.limits = Limits(config, self.slot)
        self.limits.bind_memory()
        self.exchange = Exchange(self)
        self.watchdog = Watchdog(self)
        self.watchdog.start()
        for listener in self.sockets:
            listener.setblocking(0)
        families.later()
        meter.is_taken_later = True
        self.slot.ready = True
        self.set_state('ready')
        _logger.info("worker %d ready", self.pid)
        while self.alive and not self.slot.leave:
            if not self._accept_one() and self.alive and not self.slot.leave:
                self.slot.beat()
                self.tell_metrics()
                self._wait()
            if self.has_grown:
                self._leave_if_large()
        self.set_state('leaving')
        self._let_threads_end()
        self.watchdog.stop()
        self.tell_metrics()

    def tell_metrics(self):
        """Write down what was counted. Whenever idle, and by the watchdog; not once per request."""
        self.node.host.measure_connections()
        meter.take()
        families.write()

    def watch_memory(self):
        """Whether this worker should be looked at when it has ended its request. By the watchdog."""
        soft = self.node.host.config['limit_memory_soft']
        self.has_grown = bool(soft) and linux.resident_bytes() > soft

    def _let_threads_end(self):
        """Reports run in threads that a request has started and that outlive it."""
        until = monotonic() + self.node.settings.graceful_timeout
        while len(os.listdir('/proc/self/task')) > OWN_THREADS and monotonic() < until:
            self.slot.beat()
            time.sleep(0.05)

    def set_state(self, state):
        set_title(self.node.name, 'http worker', state)

    def leave(self, why, *arguments):
        """End after the current request."""
        if self.alive:
            self.alive = False
            _logger.info("worker %d leaves: " + why, self.pid, *arguments)

    def _wait(self):
        try:
            ready = select.select(self.wait_fds, [], [], IDLE_SECONDS)[0]
            if self.PIPE[0] in ready:
                os.read(self.PIPE[0], 4096)
        except (select.error, OSError) as error:
            if error.args[0] not in (errno.EINTR, errno.EAGAIN):
                raise

    def _accept_one(self):
        """Serve one connection, if there is one."""
        for listener in self.sockets:
            try:
                client, address = listener.accept()
            except EnvironmentError as error:
                if error.errno == errno.EINVAL:  # shut down by the master: nothing waits there
                    self.alive = False
                    return False
                if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EINTR):
                    continue
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self.leave("no file descriptors are left")
                    return False
                raise
            linux.close_on_exec(client)
            self.exchange.serve(listener, client, address)
            self._after_request()
            return True
        return False

    def _after_request(self):
        """Whether this worker has had enough."""
        self.nr += 1
        if self.nr >= self.max_requests:
            self.slot.count('limit_request')
            table.LIMITS_HIT.count('limit_request')
            self.leave("limit_request: %d requests served", self.nr)

    def _leave_if_large(self):
        """Asked again here: what a request took, it may have given back at its end."""
        soft, resident = self.node.host.config['limit_memory_soft'], linux.resident_bytes()
        if resident > soft and self.alive:
            self.slot.count('limit_memory_soft')
            table.LIMITS_HIT.count('limit_memory_soft')
            self.leave("limit_memory_soft: %d MB resident, the limit is %d MB, after %s",
                       resident >> 20, soft >> 20, self.exchange.last)
