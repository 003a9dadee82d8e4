# -*- coding: utf-8 -*-
"""`/_cluster/live` and `/_cluster/ready`, as a WSGI application of their own.

The supervisor asks `answers(path)` first and, if so, lets `application` answer
in the worker, before the host sees the request. Live says that a worker
answers at all; ready, that new clients may be sent here. It takes no lock
and opens no connection.
"""
from oe_cluster_launch.compat import to_bytes

PREFIX = '/_cluster/'


class HealthEndpoints(object):
    """The endpoints of one node.

    :param reasons: function without arguments -> list of sentences why the node
        is not ready; empty when it is
    """

    def __init__(self, node_name, reasons):
        self._node_name = node_name
        self._reasons = reasons

    @staticmethod
    def answers(path):
        """Whether a path is ours."""
        return path.startswith(PREFIX)

    def __call__(self, environ, start_response):
        name = environ.get('PATH_INFO', '')[len(PREFIX):]
        status, lines = self._answer(name)
        body = to_bytes('\n'.join(lines) + '\n')
        start_response(status, [('Content-Type', 'text/plain; charset=utf-8'),
                                ('Content-Length', str(len(body))),
                                ('Cache-Control', 'no-store')])
        return [body]

    def _answer(self, name):
        if name == 'live':
            return '200 OK', ["%s is alive" % self._node_name]
        if name == 'ready':
            reasons = self._reasons()
            if reasons:
                return '503 Service Unavailable', reasons
            return '200 OK', ["%s is ready" % self._node_name]
        return '404 Not Found', ["There is /_cluster/live and /_cluster/ready."]
