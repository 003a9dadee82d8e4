# -*- coding: utf-8 -*-
"""What the master contributes to the metrics, and the route that shows them all: `/_cluster/metrics`.

Recorded once in every pass of the master's loop, about once a second; so
whoever makes the page needs neither the master nor its sockets.
"""
import logging
import time

from oe_cluster_launch import __version__
from oe_cluster_launch.health.endpoints import Answer
from oe_cluster_launch.metrics import page, table
from oe_cluster_launch.metrics.files import Busy
from oe_cluster_launch.supervisor import linux

PLAIN = 'text/plain; charset=utf-8'

_logger = logging.getLogger(__name__)


def add_to(endpoints):
    """Let the endpoints answer Prometheus; in the answerer's threads, or in an HTTP worker."""
    endpoints.add('/_cluster/metrics', metrics)


def metrics(environ):
    """What this node has counted and measures, for Prometheus; 404 with `metrics = off`."""
    if not page.is_on():
        return Answer('404 Not Found', PLAIN, "`metrics` is off in [cluster].\n")
    try:
        return Answer('200 OK', page.CONTENT_TYPE, page.text())
    except Busy as error:
        return Answer('503 Service Unavailable', PLAIN, '%s\n' % error)


def describe(node):
    """What does not change while this master lives. Before the first fork."""
    if not page.is_on():
        return
    config = node.host.config
    processes = node.host.workers + int(config['max_cron_threads'] or 0)
    table.POSTGRES_LIMIT.set(int(config['db_maxconn']) * processes)


def introduce(node, addons):
    """What this node is, for whoever looks for one that differs.

    :param addons: the fingerprint of its addons
    """
    keys = node.sealing.fingerprints
    table.NODE_INFO.set(1, node.name, __version__, node.host.version, addons, keys[0] if keys else '')


def ready():
    """This master's workers answer."""
    table.MASTERS_READY.count()
    table.READY_TIMESTAMP.set(time.time())


def record(arbiter):
    """What is so now, and what has become of processes that ended. Never raises."""
    if not page.is_on():
        return
    try:
        page.sweep()
        _record_workers(arbiter)
        table.DRAINING.set(int(arbiter.board.draining))
        table.BACKLOG.set(arbiter.board.master.shown('queued'))
        table.BACKLOG_LIMIT.set(arbiter.board.master.shown('queue_limit'))
    except Exception as error:
        _logger.debug("metrics of the master: %s", error)


def _record_workers(arbiter):
    slots = [worker.slot for worker in arbiter.WORKERS.values()]
    ready_ones = [slot for slot in slots if slot.ready]
    busy = sum(1 for slot in ready_ones if slot.busy_seconds is not None)
    table.HTTP_WORKERS_WANTED.set(arbiter.num_workers)
    table.HTTP_WORKERS.set(busy, 'busy')
    table.HTTP_WORKERS.set(len(ready_ones) - busy, 'idle')
    table.HTTP_WORKERS.set(len(slots) - len(ready_ones), 'starting')
    table.LARGEST_WORKER_BYTES.set(max([_resident(pid) for pid in arbiter.WORKERS] + [0]))


def _resident(pid):
    try:
        return linux.resident_bytes(pid)
    except EnvironmentError:  # it has ended
        return 0


def cause_of_end(worker, status):
    """Why an HTTP worker has ended, in the words of table.CAUSES."""
    slot = worker.slot
    if worker.aborted:
        return 'cut off' if slot.leave else 'stuck'
    for name in table.CAUSES:
        if name.startswith('limit_') and name != 'limit_time_cron_real' and slot.counted(name):
            return name
    if slot.leave:
        return 'told'
    if not slot.ready:
        return 'not ready'
    return 'crashed' if status else 'other'
