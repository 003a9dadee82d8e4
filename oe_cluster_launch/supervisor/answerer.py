# -*- coding: utf-8 -*-
"""The child that says how the node is, whatever the HTTP workers are doing.

It listens on the status port, and it asks PostgreSQL and Redis every second on
behalf of all, also where there is no such port: what it finds stands on the
board, for the HTTP workers to answer the same questions from. At a stop it
is the last to go, so that the drain can be seen from outside; at a reload
the keeper has handed its socket to the next one already.
"""
import json

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.store import Store
from oe_cluster_launch.supervisor import board, probes
from oe_cluster_launch.supervisor.child import ChildProcess
from oe_cluster_launch.supervisor.status_server import StatusServer

#: how often what was found is written on the board
PUBLISH_SECONDS = 0.5
#: at a stop, for answers under way
FINISH_SECONDS = 2.0


class Answerer(ChildProcess):
    """One per node.

    :param endpoints: the :class:`Endpoints` that the HTTP workers answer with, too
    """

    role = 'answerer'
    kind = board.ANSWERER
    starts_early = True
    leaves_last = True
    watchdog_seconds = 30
    stop_seconds = 5

    def __init__(self, node, endpoints):
        super(Answerer, self).__init__(node)
        self._endpoints = endpoints
        self._listener = None

    def _prepare(self, arbiter):
        self._listener, arbiter.status_listener = arbiter.status_listener, None
        super(Answerer, self)._prepare(arbiter)

    def run(self):
        self._probes = self._start_probes()
        settings = self.node.settings
        server = StatusServer(self._listener, self._endpoints, self.node.host.config['proxy_mode'],
                              settings.trusted_proxies)
        while not self.stopping:
            self._publish()
            self.slot.ready = True
            until = monotonic() + PUBLISH_SECONDS
            while not self.stopping and monotonic() < until:
                server.turn(self.sleep(max(until - monotonic(), 0), server.descriptors()))
        server.finish(FINISH_SECONDS)

    def _start_probes(self):
        """Start them, and wait for what they find first: our first answer must not be a guess."""
        node = self.node
        store = Store(node.settings, min(node.settings.redis_timeout, probes.LIMIT_SECONDS))
        key = store.keys.cluster_lock('health-%s' % node.name)
        started = {
            # a write, because a replica or a full server answers everything else
            'redis': probes.Probe('redis', lambda: store.client().set(key, b'1', px=1000)),
            'postgresql': probes.Probe('postgresql', lambda: node.host.probe(probes.LIMIT_SECONDS)),
        }
        for probe in started.values():
            probe.start()
        for probe in started.values():
            probe.asked_once.wait(probes.OVERDUE_SECONDS)
        return started

    def _publish(self):
        found = dict((name, probe.finding()) for name, probe in self._probes.items())
        self.slot.describe(json.dumps(dict((name, what) for name, what in found.items() if what)))
