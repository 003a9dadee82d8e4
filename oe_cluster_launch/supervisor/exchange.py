# -*- coding: utf-8 -*-
"""One HTTP request on one connection: read, refuse or answer, close. In an HTTP worker.

Whatever goes wrong ends in an answer with a status and a sentence, or, when
the client is gone, in nothing; never in the worker's end. The connection is
closed after each answer: see docs/architecture.md on keep-alive.
"""
import datetime
import logging
import socket

from gunicorn.http import RequestParser, wsgi

from oe_cluster_launch import current_request
from oe_cluster_launch.compat import monotonic, to_bytes
from oe_cluster_launch.metrics import table
from oe_cluster_launch.supervisor import guard
from oe_cluster_launch.supervisor.body import ClientGone, buffer_body
from oe_cluster_launch.supervisor.forwarded import apply_proxy_headers
from oe_cluster_launch.supervisor.held_head import HeldHead
from oe_cluster_launch.supervisor.limits import LimitExceeded
from oe_cluster_launch.supervisor.tally import Tally

_logger = logging.getLogger(__name__)
_access = logging.getLogger('oe_cluster_launch.access')

#: what a client may still be sending when it was answered early, before it is cut off
LINGER_BYTES = 64 << 20
LINGER_SECONDS = 2.0
SERVER = 'oe-cluster-launch'


class Exchange(object):
    """Serves one connection after the other for one worker.

    :ivar last: the request served last
    """

    def __init__(self, worker):
        self._worker = worker
        self._node = worker.node
        self._settings = worker.node.settings
        self._slot = worker.slot
        self._limits = worker.limits
        self._cfg = worker.cfg
        self.last = None
        self._unread = False

    def serve(self, listener, client, address):
        """Answer what comes on a connection, and close it."""
        client.settimeout(self._settings.client_timeout)
        self._unread = False
        self._tally = Tally()
        try:
            head = guard.read_head(RequestParser(self._cfg, client), self._settings.limit_body)
            if head is not None:
                self._answer(head, listener, client, address)
        except guard.Refused as refused:
            self._refuse(client, address, refused)
        except (EnvironmentError, ClientGone) as error:
            self._slot.count('clients_gone')
            self._tally.status = 'gone'
            _logger.debug("client %s is gone: %s", address, error)
        except Exception:
            _logger.exception("a connection from %s failed", address)
        finally:
            self._slot.end()
            current_request.end()
            self._tally.close()
            if self._unread:
                _let_finish(client)
            client.close()

    # -- reading -------------------------------------------------------------

    def _environment(self, head, listener, client, address):
        response, environ = wsgi.create(head, HeldHead(client), address, listener.getsockname(), self._cfg)
        response.force_close()
        response.version = SERVER
        length = environ.get('CONTENT_LENGTH')
        chunked = environ.pop('HTTP_TRANSFER_ENCODING', None)
        if length is not None or chunked:
            environ['wsgi.input'], length = buffer_body(
                environ['wsgi.input'], None if chunked else int(length), self._settings.limit_body)
            environ['CONTENT_LENGTH'] = str(length)
        apply_proxy_headers(environ, self._node.host.config['proxy_mode'],
                            self._settings.trusted_proxies)
        return response, environ

    # -- answering -------------------------------------------------------------

    def _answer(self, head, listener, client, address):
        response, environ = self._environment(head, listener, client, address)
        request = current_request.CurrentRequest(
            head.method, environ['PATH_INFO'],
            current_request.accepted_request_id(environ.get('HTTP_X_REQUEST_ID')),
            on_named=lambda named: self._slot.describe(**named.fields()))
        environ['HTTP_X_REQUEST_ID'] = request.id
        response.headers.append(('X-Request-ID', request.id))
        self.last = request
        current_request.begin(request)
        application = self._worker.wsgi
        path = environ['PATH_INFO']
        if self._worker.app.endpoints.answers(path):
            application, self._tally.kind = self._worker.app.endpoints, 'cluster'
        else:
            self._tally.kind = self._node.host.kind_of_request(
                head.method, path, environ.get('CONTENT_TYPE') or '')
        self._slot.begin(**request.fields())
        try:
            self._run(application, environ, response)
        except LimitExceeded as exceeded:
            self._limits.disarm()
            self._limits.release_memory()
            self._slot.count(exceeded.name)
            table.LIMITS_HIT.count(exceeded.name)
            _logger.error("%s: ended after %.1f s: %s", exceeded.name, self._tally.seconds, request)
            self._worker.leave("its request was ended by %s", exceeded.name)
            self._fail(client, response, exceeded.status, exceeded.sentence, request)
        finally:
            environ['wsgi.input'].close() if hasattr(environ['wsgi.input'], 'close') else None
            self._tally.status = response.status
        self._slot.count('requests')
        if self._settings.statsd_host:
            self._worker.log.access(response, head, environ, datetime.timedelta(seconds=self._tally.seconds))
        if self._settings.access_log:
            _access.info('%s "%s %s" %s %.3fs %s', environ.get('REMOTE_ADDR'), head.method, head.uri,
                         (response.status or '-')[:3], self._tally.seconds, request)

    def _run(self, application, environ, response):
        """Let the application make its answer, under the limits, and send it.

        :raises LimitExceeded, ClientGone
        """
        answer = None
        try:
            try:
                with self._limits.armed():
                    answer = application(environ, response.start_response)
                    if not isinstance(answer, (list, tuple, environ['wsgi.file_wrapper'])):
                        answer = _Peeked(answer)
            except (MemoryError, current_request.OutOfMemory):
                raise self._limits.memory_exceeded()
            self._send(answer, response, environ)
        except (LimitExceeded, ClientGone):
            raise
        except Exception:
            self._slot.count('requests_failed')
            _logger.exception("%s failed", self.last)
            self._fail(response.sock.raw, response, '500 Internal Server Error',
                       "The server failed to answer; its log says more.", self.last)
        finally:
            if hasattr(answer, 'close'):
                answer.close()

    def _send(self, answer, response, environ):
        if isinstance(answer, environ['wsgi.file_wrapper']):
            _to_client(response.write_file, answer)
        else:
            for piece in answer:
                _to_client(response.write, piece)
            _to_client(response.close)
        _to_client(response.sock.flush)

    def _fail(self, client, response, status, sentence, request):
        """Answer with an error, unless part of another answer is out already."""
        if response.headers_sent:
            return
        response.status = status
        _to_client(_write_error, client, status, sentence, request.id)

    def _refuse(self, client, address, refused):
        self._slot.count('requests_refused')
        self._tally.kind, self._tally.status = 'refused', refused.status
        if refused.status.startswith('413'):
            table.LIMITS_HIT.count('limit_body')
        self._unread = True
        _logger.info("a request from %s was refused: %s %s", address[0] if address else '?',
                     refused.status, refused)
        try:
            _write_error(client, refused.status, str(refused), None)
        except EnvironmentError:
            pass


class _Peeked(object):
    """An answer made piece by piece, its first piece made already, under the limits."""

    def __init__(self, pieces):
        self._pieces = pieces
        self._iterator = iter(pieces)
        self._first = next(self._iterator, None)

    def __iter__(self):
        if self._first is not None:
            yield self._first
            for piece in self._iterator:
                yield piece

    def close(self):
        if hasattr(self._pieces, 'close'):
            self._pieces.close()


def _to_client(write, *arguments):
    """Only here an error of a socket means the client; inside OpenERP it means OpenERP's own."""
    try:
        return write(*arguments)
    except EnvironmentError as error:
        raise ClientGone(str(error))


def _write_error(client, status, sentence, request_id):
    body = to_bytes(sentence + '\n')
    lines = ['HTTP/1.1 ' + status, 'Server: ' + SERVER, 'Connection: close',
             'Content-Type: text/plain; charset=utf-8', 'Content-Length: %d' % len(body)]
    if request_id:
        lines.append('X-Request-ID: %s' % request_id)
    client.sendall(to_bytes('\r\n'.join(lines) + '\r\n\r\n') + body)


def _let_finish(client):
    """Let a client that was answered early send the rest, for a while.

    A close with unread input makes the kernel send a reset, which may
    overtake the answer in the client's kernel.
    """
    try:
        client.shutdown(socket.SHUT_WR)
        client.settimeout(LINGER_SECONDS)
        until, left = monotonic() + LINGER_SECONDS, LINGER_BYTES
        while left > 0 and monotonic() < until:
            read = client.recv(65536)
            if not read:
                break
            left -= len(read)
    except EnvironmentError:
        pass
