# -*- coding: utf-8 -*-
"""A small HTTP server for the status port: bounded in connections, in size and in time.

One thread takes connections, reads all heads as they come, and answers what is
quick by itself, so that live and ready wait for nobody: neither for a client
that says nothing, as browsers like to, nor for a page in the making. A few
threads make and send the rest. One request per connection, no bodies.
Runs in the answerer, in its main loop (see :meth:`StatusServer.turn`).
"""
import errno
import logging
import select
import socket
import threading

from gunicorn.config import Config

from oe_cluster_launch.compat import monotonic, native, queue, to_bytes, unquote
from oe_cluster_launch.supervisor import guard, linux
from oe_cluster_launch.supervisor.forwarded import apply_proxy_headers

_logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 100
MOST_ACCEPTED_AT_ONCE = 20
THREADS = 4
LONGEST_HEAD_BYTES = 16384
#: for a client to send its head, and again to take its answer
PATIENCE_SECONDS = 5.0
SERVER = 'oe-cluster-launch'
#: in the WSGI environment of what the answerer, not an HTTP worker, is asked
FROM_ANSWERER = 'oe_cluster.answerer'


class Connection(object):
    """One client: what it has sent so far, and how long we wait for it."""

    def __init__(self, client, address):
        self.client = client
        self.peer = address[0] if isinstance(address, tuple) else ''
        self.read = b''
        self.until = monotonic() + PATIENCE_SECONDS
        client.setblocking(0)

    def fileno(self):
        return self.client.fileno()

    def has_head(self):
        """Read what has come. Whether the head is complete, or as good as.

        :raises EnvironmentError: the client has closed or is broken
        """
        try:
            piece = self.client.recv(LONGEST_HEAD_BYTES)
        except EnvironmentError as error:
            if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR):
                return False
            raise
        if not piece:
            raise EnvironmentError("closed")
        self.read += piece
        return b'\r\n\r\n' in self.read or len(self.read) > LONGEST_HEAD_BYTES

    def send(self, data):
        """Send all of it, in PATIENCE_SECONDS altogether, and close. In any thread."""
        until = monotonic() + PATIENCE_SECONDS
        left = memoryview(data)
        try:
            while len(left):
                seconds = until - monotonic()
                if seconds <= 0:
                    raise EnvironmentError("it took too long")
                self.client.settimeout(seconds)
                left = left[self.client.send(left[:65536]):]
            self.client.shutdown(socket.SHUT_WR)
        except EnvironmentError as error:
            _logger.debug("client %s is gone: %s", self.peer, error)
        finally:
            self.client.close()


class StatusServer(object):
    """Serves one listening socket; made and used in one process, after the fork.

    :param listener: non-blocking, or None to serve nobody
    :param application: the :class:`Endpoints`
    """

    def __init__(self, listener, application, proxy_mode=False, trusted_proxies=()):
        self._listener = listener
        self._application = application
        self._proxy_mode = proxy_mode
        self._trusted_proxies = trusted_proxies
        self._config = Config()
        self._waiting = []
        self._tasks = queue.Queue(MOST_CONNECTIONS)
        for number in range(THREADS if listener else 0):
            thread = threading.Thread(target=self._work, name='status %d' % number)
            thread.daemon = True
            thread.start()

    def descriptors(self):
        """What to wait for."""
        return ([self._listener] if self._listener else []) + self._waiting

    def turn(self, ready):
        """Do what can be done without waiting. `ready`: those of `descriptors` that can be read."""
        for connection in list(self._waiting):
            if connection in ready:
                self._read(connection)
            elif monotonic() > connection.until:
                self._drop(connection)
        if self._listener in ready:
            self._accept()

    def finish(self, seconds):
        """Take no more; answer whom we have taken, at most that long."""
        if self._listener:
            self._listener.close()
            self._listener = None
        until = monotonic() + seconds
        while (self._waiting or self._tasks.unfinished_tasks) and monotonic() < until:
            try:
                self.turn(select.select(self._waiting, [], [], 0.05)[0])
            except select.error:  # a signal
                continue

    # -- taking and reading --------------------------------------------------

    def _accept(self):
        for _ in range(MOST_ACCEPTED_AT_ONCE):
            try:
                client, address = self._listener.accept()
            except EnvironmentError as error:
                if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EINTR):
                    _logger.warning("the status port takes no connection: %s", error)
                return
            if len(self._waiting) >= MOST_CONNECTIONS:
                self._drop(self._waiting[0])  # who has said nothing for longest
            self._waiting.append(Connection(client, address))
            self._read(self._waiting[-1])

    def _read(self, connection):
        try:
            complete = connection.has_head()
        except EnvironmentError:
            return self._drop(connection)
        if complete:
            self._waiting.remove(connection)
            self._begin(connection)

    def _drop(self, connection):
        self._waiting.remove(connection)
        connection.client.close()

    def _begin(self, connection):
        try:
            environ = self._environment(connection)
        except guard.Refused as refused:
            return connection.send(_response(refused.status, [('Content-Type', 'text/plain')],
                                             [to_bytes('%s\n' % refused)]))
        except Exception:
            _logger.exception("a request from %s cannot be read", connection.peer)
            return connection.client.close()
        if self._application.is_quick(environ['PATH_INFO']):
            return self._answer(connection, environ)
        try:
            self._tasks.put_nowait((connection, environ))
        except queue.Full:
            connection.client.close()

    def _environment(self, connection):
        """The request as WSGI has it. Raises Refused."""
        parser = guard.parser(self._config, iter([connection.read]))
        head = guard.read_head(parser, LONGEST_HEAD_BYTES)
        if head is None:
            raise guard.Refused('400 Bad Request', "The request's head is too long.")
        environ = {'REQUEST_METHOD': head.method, 'PATH_INFO': native(unquote(head.path)),
                   'QUERY_STRING': head.query or '', 'REMOTE_ADDR': connection.peer, 'SCRIPT_NAME': '',
                   'wsgi.url_scheme': 'http', FROM_ANSWERER: True}
        for name, value in head.headers:
            key = 'HTTP_' + name.replace('-', '_')
            environ[key] = '%s,%s' % (environ[key], value) if key in environ else value
        apply_proxy_headers(environ, self._proxy_mode, self._trusted_proxies)
        return environ

    # -- answering -----------------------------------------------------------

    def _work(self):
        linux.leave_signals_to_main_thread()
        while True:
            connection, environ = self._tasks.get()
            try:
                self._answer(connection, environ)
            except Exception:
                _logger.exception("the status port failed to answer")
                connection.client.close()
            finally:
                self._tasks.task_done()

    def _answer(self, connection, environ):
        started = []
        body = self._application(environ, lambda status, headers: started.append((status, headers)))
        connection.send(_response(started[0][0], started[0][1], body))


def _response(status, headers, body):
    lines = ['HTTP/1.1 ' + status, 'Server: ' + SERVER, 'Connection: close']
    lines += ['%s: %s' % header for header in headers]
    return to_bytes('\r\n'.join(lines) + '\r\n\r\n') + b''.join(body)
