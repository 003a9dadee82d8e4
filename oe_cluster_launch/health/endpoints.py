# -*- coding: utf-8 -*-
"""Everything under `/_cluster/`, and `/web/health`, as a WSGI application of their own.

One per node, made before any fork, used by the answerer on the status port
and by the HTTP workers on the main port. A route is a function

    def live(environ):
        return Answer('200 OK', 'application/health+json', body)

added with `add('/_cluster/live', live, quick=True)`. A quick one never waits for
anything: the answerer calls it in its one thread that also takes connections.
Who may ask is decided here, by `status_networks`: both whoever has connected
and, if a proxy names one, its client. So a forged header only ever closes doors.
"""
import collections
import logging

from oe_cluster_launch.compat import to_bytes
from oe_cluster_launch.settings.kinds import lies_in

PREFIX = '/_cluster/'
_PLAIN = 'text/plain; charset=utf-8'
_METHODS = ('GET', 'HEAD')
_HEADERS = [('Cache-Control', 'no-store'), ('X-Content-Type-Options', 'nosniff'),
            ('Referrer-Policy', 'no-referrer')]
_NO_CONTENT_POLICY = ('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")

_logger = logging.getLogger(__name__)

_Answer = collections.namedtuple('Answer', 'status content_type body headers')


def Answer(status, content_type, body, headers=()):
    """What a route returns: status line, content type, text or bytes, further (name, value) pairs."""
    return _Answer(status, content_type, body, tuple(headers))


class Endpoints(object):
    """The routes of one node.

    :param networks: who may ask (see settings.kinds.Network)
    :param proxies: who may ask on behalf of those
    """

    def __init__(self, networks, proxies=()):
        self._networks = networks
        self._proxies = proxies
        self._routes = {}

    def add(self, path, function, quick=False):
        """Let a function answer a path."""
        self._routes[path] = (function, quick)

    def answers(self, path):
        """Whether a path is ours, be there an answer or not."""
        return path.startswith(PREFIX) or path == PREFIX[:-1] or path in self._routes

    def is_quick(self, path):
        """Whether the answer waits for nothing; so does a refusal."""
        return self._routes.get(path, (None, True))[1]

    def __call__(self, environ, start_response):
        answer = self._answer(environ)
        body = to_bytes(answer.body)
        headers = [('Content-Type', answer.content_type), ('Content-Length', str(len(body)))] + _HEADERS
        headers.extend(answer.headers)
        if 'Content-Security-Policy' not in dict(answer.headers):
            headers.append(_NO_CONTENT_POLICY)
        start_response(answer.status, headers)
        return [] if environ['REQUEST_METHOD'] == 'HEAD' else [body]

    def _answer(self, environ):
        path = environ.get('PATH_INFO', '')
        if not self.may_ask(environ):
            return Answer('403 Forbidden', _PLAIN, "Your address is not in status_networks.\n")
        if environ['REQUEST_METHOD'] not in _METHODS:
            return Answer('405 Method Not Allowed', _PLAIN, "Only GET and HEAD are answered here.\n",
                          [('Allow', ', '.join(_METHODS))])
        if path == PREFIX[:-1]:
            return Answer('301 Moved Permanently', _PLAIN, "It is at %s.\n" % PREFIX,
                          [('Location', PREFIX)])
        if path not in self._routes:
            return Answer('404 Not Found', _PLAIN, "There is %s.\n" % ', '.join(sorted(self._routes)))
        try:
            return self._routes[path][0](environ)
        except Exception:
            _logger.exception("%s failed", path)
            return Answer('500 Internal Server Error', _PLAIN,
                          "This could not be answered; the node's log says why.\n")

    def may_ask(self, environ):
        """Whether both the peer and the client that a proxy names may know."""
        client = environ.get('REMOTE_ADDR', '')
        peer = environ.get('oe_cluster.peer', client)
        if peer and not lies_in(peer, self._networks) and not lies_in(peer, self._proxies):
            return False  # no peer at all: a Unix socket
        forwarded = [entry.strip() for entry in environ.get('HTTP_X_FORWARDED_FOR', '').split(',')]
        return all(lies_in(address, self._networks) for address in {client, forwarded[-1]} if address)
