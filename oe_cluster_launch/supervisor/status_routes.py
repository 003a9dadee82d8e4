# -*- coding: utf-8 -*-
"""`/_cluster/` and `/_cluster/status`: the cluster as a page and as JSON, asked of any node.

In the answerer's threads, and in an HTTP worker for the main port, which
leaves out what takes a walk over all keys.
"""
import json

from oe_cluster_launch.health.endpoints import Answer
from oe_cluster_launch.status import page
from oe_cluster_launch.status.facts import Facts
from oe_cluster_launch.store import Store
from oe_cluster_launch.supervisor.status_server import FROM_ANSWERER

#: a Redis that hangs holds up a page no longer
LONGEST_WAIT_SECONDS = 1.0


class StatusRoutes(object):
    """Made in the master before any fork; opens no connection there."""

    def __init__(self, node):
        self._node = node
        self._facts = Facts(Store(node.settings, min(node.settings.redis_timeout, LONGEST_WAIT_SECONDS)))

    def add_to(self, endpoints):
        endpoints.add('/_cluster/', self.page)
        endpoints.add('/_cluster/status', self.as_json)

    def page(self, environ):
        """The cluster at a glance, for a browser; of any node."""
        html = page.render(self._gather(environ), self._node.name)
        return Answer('200 OK', 'text/html; charset=utf-8', html,
                      [('Content-Security-Policy', page.CONTENT_SECURITY_POLICY)])

    def as_json(self, environ):
        """The same facts as JSON."""
        text = json.dumps(self._gather(environ), indent=1, sort_keys=True, separators=(',', ': '))
        return Answer('200 OK', 'application/json', text + '\n')

    def _gather(self, environ):
        return self._facts.gather(walk=environ.get(FROM_ANSWERER, False))
