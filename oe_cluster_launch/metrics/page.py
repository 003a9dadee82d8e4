# -*- coding: utf-8 -*-
"""The page that Prometheus reads, made from the files of all processes of this node.

Any process of the node can make it: it asks nobody and opens no connection.
What an addon counts with prometheus_client is on it too.
"""
import os

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.metrics import families, files, table

#: prometheus_client reads it when it is imported
VARIABLE = 'PROMETHEUS_MULTIPROC_DIR'
CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

_folder = None


def start(folder):
    """From now on this process and what it forks count. In the master, before any addon is imported.

    :param folder: private to this node; None leaves everything off
    """
    global _folder
    if not folder:
        return
    os.environ[VARIABLE] = folder
    import prometheus_client
    kinds = {'counter': prometheus_client.Counter, 'gauge': prometheus_client.Gauge,
             'histogram': prometheus_client.Histogram}
    for family in table.TABLE:
        family.bind(kinds[family.type])
    _folder = folder


def stop():
    """Count nothing any more. For tests."""
    global _folder
    _folder = None
    families.later(False)
    for family in table.TABLE:
        family.unbind()


def is_on():
    """Whether there is a page."""
    return _folder is not None


def sweep():
    """Fold away what processes that have ended left behind. In the master, now and then."""
    if _folder:
        files.sweep(_folder)


def text():
    """The page as bytes.

    :raises Busy: try again
    """
    import prometheus_client
    families.write()
    registry = prometheus_client.CollectorRegistry()
    registry.register(_Node(_folder))
    return prometheus_client.generate_latest(registry)


class _Node(object):
    """prometheus_client's collector of this node."""

    def __init__(self, folder):
        self._folder = folder

    def describe(self):
        return []

    def collect(self):
        from prometheus_client.multiprocess import MultiProcessCollector
        with files.reading(self._folder):
            merged = list(MultiProcessCollector.merge(files.paths(self._folder), accumulate=True))
        meanings = dict((_base(family.name), family.meaning) for family in table.TABLE)
        for metric in sorted(merged, key=lambda metric: metric.name):
            metric.documentation = meanings.get(_base(metric.name), metric.documentation)
            if metric.name == table.LEASE_UNTIL.name:
                for one in _lease(metric):
                    yield one
            else:
                metric.samples.sort(key=lambda sample: (sample.name, _order(sample.labels)))
                yield metric


def _order(labels):
    """Buckets by their number, everything else by name."""
    return sorted((name, float(value) if name == 'le' else 0.0, value) for name, value in labels.items())


def _base(name):
    """prometheus_client calls a counter by its name without _total."""
    return name[:-len('_total')] if name.endswith('_total') else name


def _lease(until):
    """What the moment until which the lease lasts means now, even if the agent hangs."""
    from prometheus_client.core import GaugeMetricFamily
    left = max([sample.value - monotonic() for sample in until.samples] + [0.0])
    for family, number in ((table.CRON_LEADER, int(left > 0)), (table.CRON_LEASE_SECONDS_LEFT, left)):
        yield GaugeMetricFamily(family.name, family.meaning, value=number)
