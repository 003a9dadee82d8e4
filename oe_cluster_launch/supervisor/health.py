# -*- coding: utf-8 -*-
"""How this node is: read from the board, answered at once, in whatever process is asked.

The answerer asks PostgreSQL and Redis every second and writes what it found on
the board; workers, backlog, drain and cron lease stand there anyway. So an
answer reads memory and waits for nothing, however busy or broken the rest is.
"""
from oe_cluster_launch import __version__
from oe_cluster_launch.compat import monotonic, parse_qsl
from oe_cluster_launch.health.document import CONTENT_TYPE as HEALTH_JSON
from oe_cluster_launch.health.document import FAIL, PASS, WARN, as_json, check, document
from oe_cluster_launch.health.endpoints import Answer
from oe_cluster_launch.supervisor.board import ANSWERER, CRON_AGENT, HTTP_WORKER

#: the master's main loop takes a second at most; one this silent hangs
MASTER_SILENT_SECONDS = 20
#: findings older than this come from an answerer that is no more
STALE_SECONDS = 10
OK, UNAVAILABLE, ERROR = '200 OK', '503 Service Unavailable', '500 Internal Server Error'


class NodeHealth(object):
    """The answers of one node; made in the master before any fork."""

    def __init__(self, node, board):
        self._node = node
        self._board = board

    def add_to(self, endpoints):
        """Let the endpoints answer with what we know."""
        endpoints.add('/_cluster/live', self.live, quick=True)
        endpoints.add('/_cluster/ready', self.ready, quick=True)
        endpoints.add('/_cluster/leader', self.leader, quick=True)
        endpoints.add('/web/health', self.web_health, quick=True)

    # -- the answers -------------------------------------------------------

    def live(self, environ):
        """Whether this node's processes are at work; a restart would mend what fails here."""
        return self._answer([self.master()])

    def ready(self, environ):
        """Whether new clients may be sent here."""
        return self._answer([self.draining(), self.master(), self.finding('postgresql'),
                             self.finding('redis'), self.registry(), self.workers()])

    def leader(self, environ):
        """Whether this node leads cron."""
        return self._answer([self.lease()])

    def web_health(self, environ):
        """As Odoo 15 and later: `pass` as soon as there is an answer; `?db_server_status=1` asks for more."""
        answer, status = {'status': PASS}, OK
        if dict(parse_qsl(environ.get('QUERY_STRING', ''))).get('db_server_status'):
            answer['db_server_status'] = self.finding('postgresql')[1]['status'] != FAIL
            if not answer['db_server_status']:
                answer['status'], status = FAIL, ERROR
        return Answer(status, 'application/json', as_json(answer))

    def _answer(self, checks):
        found = document(self._node.name, __version__, checks)
        return Answer(UNAVAILABLE if found['status'] == FAIL else OK, HEALTH_JSON, as_json(found))

    # -- the checks --------------------------------------------------------

    def draining(self):
        draining = self._board.draining
        return check('node:draining', FAIL if draining else PASS, 'component', draining,
                     output="this node is stopping")

    def master(self):
        silent = self._board.master.silent_seconds
        return check('master:silence', FAIL if silent > MASTER_SILENT_SECONDS else PASS, 'component',
                     round(silent, 1), 's', "the master has been silent for %d s" % silent)

    def registry(self):
        """With `preload`, the boot fails unless every registry loads, and workers inherit them."""
        wanted = set(self._node.host.databases())
        loaded = wanted & set(self._node.host.preloaded_sequences())
        missing = sorted(wanted - loaded)
        return check('registry:loaded', WARN if missing else PASS, 'component', sorted(loaded),
                     output="each worker loads %s at its first request" % ', '.join(missing))

    def workers(self):
        """A full queue is a failure: the kernel turns the next client away. Busy workers are none."""
        slots = [slot for slot in self._board.slots(HTTP_WORKER) if slot.ready]
        busy = sum(1 for slot in slots if slot.busy_seconds is not None)
        wanted = int(self._board.master.shown('workers_wanted'))
        queued, limit = (int(self._board.master.shown(name)) for name in ('queued', 'queue_limit'))
        status, output = PASS, None
        if not slots:
            status, output = FAIL, "no HTTP worker is ready"
        elif limit and queued >= limit:
            status, output = FAIL, "%d connections wait, no more can" % queued
        elif busy == len(slots) and queued:
            status, output = WARN, "all %d HTTP workers are busy, %d connections wait" % (busy, queued)
        elif len(slots) < wanted:
            status, output = WARN, "%d of %d HTTP workers are ready" % (len(slots), wanted)
        return check('workers:busy', status, 'component', busy, 'of %d' % len(slots), output)

    def lease(self):
        slots = [slot for slot in self._board.slots(CRON_AGENT) if slot.shown('lease_until') > monotonic()]
        return check('cron:term', PASS if slots else FAIL, 'component',
                     int(slots[0].shown('lease_term')) if slots else None,
                     output="this node does not lead cron")

    def finding(self, name):
        """What the answerer has found out about a server lately."""
        found = {}
        for slot in self._board.slots(ANSWERER):
            found = slot.doing.get(name) or found
        if not found or monotonic() - found['at'] > STALE_SECONDS:
            return check('%s:responseTime' % name, WARN, 'datastore', output="%s was not asked lately" % name)
        return check('%s:responseTime' % name, found['status'], 'datastore', found['ms'], 'ms',
                     found['output'], found['time'])
