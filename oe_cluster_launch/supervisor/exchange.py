# -*- coding: utf-8 -*-
"""One HTTP request on one connection: read, refuse or answer, close. In an HTTP worker.

Whatever goes wrong ends in an answer with a status and a sentence, or, when
the client is gone, in nothing; never in the worker's end. The connection is
closed after each answer: see docs/architecture.md on keep-alive.
"""
import datetime
import logging
import socket

from gunicorn.http import wsgi

from oe_cluster_launch import current_request
from oe_cluster_launch.compat import monotonic, to_bytes
from oe_cluster_launch.metrics import table
from oe_cluster_launch.supervisor import guard
from oe_cluster_launch.supervisor.application import PlainConfig
from oe_cluster_launch.supervisor.body import ClientGone, buffer_body
from oe_cluster_launch.supervisor.client import Client, request_parser, timeval
from oe_cluster_launch.supervisor.forwarded import apply_proxy_headers
from oe_cluster_launch.supervisor.limits import LimitExceeded
from oe_cluster_launch.supervisor.pieces import Peeked, pieces_of_file
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
        self._cfg = PlainConfig(worker.cfg)
        self._client_timeout = timeval(self._settings.client_timeout)
        self.last = None
        self._unread = False

    def serve(self, listener, raw, address):
        """Answer what comes on a connection, and close it.

        :param raw: the connection's socket, in blocking mode
        """
        self._unread = False
        self._tally, answered = Tally(), None
        try:
            client = Client(raw, self._client_timeout)
            head = guard.read_head(request_parser(self._cfg, client), self._settings.limit_body)
            if head is not None:
                answered = self._answer(head, listener, client, address)
        except guard.Refused as refused:
            self._refuse(raw, address, refused)
        except (EnvironmentError, ClientGone) as error:
            self._slot.count('clients_gone')
            self._tally.status = 'gone'
            _logger.debug("client %s is gone: %s", address, error)
        except Exception:
            _logger.exception("a connection from %s failed", address)
        finally:
            if not self._unread:
                raw.close()  # before anything else: an answer's last piece may wait for it
            self._record(answered)
            if self._unread:
                _let_finish(raw)
                raw.close()

    def _record(self, answered):
        """What a connection leaves in counters and logs, when it has its answer."""
        ended = monotonic()
        if answered is not None:
            self._slot.count('requests')
            if self._settings.statsd_host or self._settings.access_log:
                self._log(ended, *answered)
        self._slot.end(ended)
        current_request.end()
        self._tally.close(ended)

    def _log(self, ended, head, environ, response):
        seconds = ended - self._tally.began
        if self._settings.statsd_host:
            self._worker.log.access(response, head, environ, datetime.timedelta(seconds=seconds))
        if self._settings.access_log:
            _access.info('%s "%s %s" %s %.3fs %s', environ.get('REMOTE_ADDR'), head.method, head.uri,
                         (response.status or '-')[:3], seconds, self.last)

    # -- reading -------------------------------------------------------------

    def _environment(self, head, listener, client, address):
        response, environ = wsgi.create(head, client, address, listener.getsockname(), self._cfg)
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
        """Have it answered; (head, environ, response) for the log."""
        response, environ = self._environment(head, listener, client, address)
        path = environ['PATH_INFO']
        request = current_request.CurrentRequest(
            head.method, path, current_request.accepted_request_id(environ.get('HTTP_X_REQUEST_ID')),
            on_named=self._describe)
        environ['HTTP_X_REQUEST_ID'] = request.id
        response.headers.append(('X-Request-ID', request.id))
        self.last = request
        current_request.begin(request)
        application = self._worker.wsgi
        if self._worker.app.endpoints.answers(path):
            application, self._tally.kind = self._worker.app.endpoints, 'cluster'
        else:
            self._tally.kind = self._node.host.kind_of_request(
                head.method, path, environ.get('CONTENT_TYPE') or '')
        self._slot.begin(self._tally.began, request.as_json())
        body = environ['wsgi.input']
        try:
            self._run(application, environ, response)
        except LimitExceeded as exceeded:
            self._end_at_limit(exceeded, response, request)
        finally:
            if hasattr(body, 'close'):
                body.close()
            self._tally.status = response.status
        return head, environ, response

    def _describe(self, named):
        self._slot.describe(named.as_json())

    def _end_at_limit(self, exceeded, response, request):
        self._limits.disarm()
        self._limits.release_memory()
        self._slot.count(exceeded.name)
        table.LIMITS_HIT.count(exceeded.name)
        _logger.error("%s: ended after %.1f s: %s", exceeded.name, monotonic() - self._tally.began, request)
        self._worker.leave("its request was ended by %s", exceeded.name)
        self._fail(response, exceeded.status, exceeded.sentence, request)

    def _run(self, application, environ, response):
        """Let the application make its answer, under the limits, and send it.

        :raises LimitExceeded, ClientGone
        """
        answer = None
        try:
            try:
                try:
                    self._limits.arm()
                    answer = application(environ, response.start_response)
                    if not isinstance(answer, (list, tuple, environ['wsgi.file_wrapper'])):
                        answer = Peeked(answer)
                finally:
                    self._limits.disarm()
            except (MemoryError, current_request.OutOfMemory):
                raise self._limits.memory_exceeded()
            self._send(answer, response, environ)
        except (LimitExceeded, ClientGone):
            raise
        except Exception:
            self._slot.count('requests_failed')
            _logger.exception("%s failed", self.last)
            self._fail(response, '500 Internal Server Error',
                       "The server failed to answer; its log says more.", self.last)
        finally:
            if hasattr(answer, 'close'):
                answer.close()

    def _send(self, answer, response, environ):
        client, length = response.sock, response.response_length
        if isinstance(answer, environ['wsgi.file_wrapper']):
            answer = pieces_of_file(answer.filelike)
        for piece in answer:
            client.ending = length is not None and response.sent + len(piece) >= length
            _to_client(response.write, piece)
        client.ending = True
        _to_client(response.close)
        _to_client(client.flush)

    def _fail(self, response, status, sentence, request):
        """Answer with an error, unless part of another answer is out already."""
        if response.headers_sent:
            return
        response.status = status
        _to_client(_write_error, response.sock.raw, status, sentence, request.id)

    def _refuse(self, raw, address, refused):
        self._slot.count('requests_refused')
        self._tally.kind, self._tally.status = 'refused', refused.status
        if refused.status.startswith('413'):
            table.LIMITS_HIT.count('limit_body')
        self._unread = True
        _logger.info("a request from %s was refused: %s %s", address[0] if address else '?',
                     refused.status, refused)
        try:
            _write_error(raw, refused.status, str(refused), None)
        except EnvironmentError:
            pass


def _to_client(write, *arguments):
    """Only here an error of a socket means the client; inside OpenERP it means OpenERP's own."""
    try:
        return write(*arguments)
    except EnvironmentError as error:
        raise ClientGone(str(error))


def _write_error(raw, status, sentence, request_id):
    body = to_bytes(sentence + '\n')
    lines = ['HTTP/1.1 ' + status, 'Server: ' + SERVER, 'Connection: close',
             'Content-Type: text/plain; charset=utf-8', 'Content-Length: %d' % len(body)]
    if request_id:
        lines.append('X-Request-ID: %s' % request_id)
    raw.sendall(to_bytes('\r\n'.join(lines) + '\r\n\r\n') + body)


def _let_finish(raw):
    """Let a client that was answered early send the rest, for a while.

    A close with unread input makes the kernel send a reset, which may
    overtake the answer in the client's kernel.
    """
    try:
        raw.shutdown(socket.SHUT_WR)
        raw.settimeout(LINGER_SECONDS)
        until, left = monotonic() + LINGER_SECONDS, LINGER_BYTES
        while left > 0 and monotonic() < until:
            read = raw.recv(65536)
            if not read:
                break
            left -= len(read)
    except EnvironmentError:
        pass
