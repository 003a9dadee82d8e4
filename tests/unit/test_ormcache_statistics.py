# -*- coding: utf-8 -*-
"""What a worker reports of its ormcache, and how the reports are added up. No Redis."""
import pytest

from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.metrics import table
from oe_cluster_launch.ormcache import decorator, overview, request, statistics
from oe_cluster_launch.ormcache.generation import Generation
from oe_cluster_launch.ormcache.meter import Meter


class Redis(object):
    """Keeps what is set; away when told so."""
    away = False

    def __init__(self):
        self.kept, self.attempts = {}, 0
        self.keys = self

    @staticmethod
    def cache_statistics(node, process):
        return '%s:%d' % (node, process)

    def client(self):
        return self

    def set(self, key, text, ex):
        self.attempts += 1
        if self.away:
            raise RedisUnavailable("away")
        self.kept[key] = text


class Cache(object):
    stat_hit = stat_miss = stat_shared = 0


@pytest.fixture
def cache(monkeypatch):
    """The only decorated method of this process."""
    cache = Cache()
    monkeypatch.setattr(decorator, 'by_identity', {'only': cache})
    return cache


@pytest.fixture
def reporter(cache):
    clock = [100.0]
    reporter = statistics.Statistics(Redis(), 'a', {'sent': 3}, lambda: clock[0])
    reporter.set_clock = lambda now: clock.__setitem__(0, now)
    return reporter


def end_request(reporter, name, registry=1):
    state = request.Request(bounded=True).database(name)
    state.generation = Generation('1-2', '0.5', registry, 7)
    reporter.request_ended([state])


def test_lookups_count_for_the_database_of_their_request(reporter, cache):
    cache.stat_hit, cache.stat_shared, cache.stat_miss = 10, 2, 5
    end_request(reporter, 'one')
    cache.stat_hit += 3
    end_request(reporter, 'two', registry=4)
    cache.stat_miss += 1
    end_request(reporter, 'one')
    assert reporter.report()['databases'] == {
        'one': {'local': 8, 'shared': 2, 'computed': 6, 'generation': '0.5-1-7', 'entries': 0},
        'two': {'local': 3, 'shared': 0, 'computed': 0, 'generation': '0.5-4-7', 'entries': 0}}


def test_the_lookups_of_an_only_database_are_counted_when_they_are_reported(reporter, cache):
    end_request(reporter, 'one')
    for now, hits in ((101.0, 4), (104.0, 5), (105.0, 6)):
        reporter.set_clock(now)
        cache.stat_hit += hits
        end_request(reporter, 'one', registry=int(now))
    assert reporter.report()['databases'] == {
        'one': {'local': 15, 'shared': 0, 'computed': 0, 'generation': '0.5-105-7', 'entries': 0}}


def test_the_metrics_take_over_what_is_new_at_the_end_of_a_request_or_later(cache, monkeypatch):
    taken = []

    class Counter(object):
        def add(self, amount, answered_by):
            taken.append((answered_by, amount))
    monkeypatch.setattr(table, 'ORMCACHE_LOOKUPS', Counter())
    meter = Meter()
    cache.stat_hit = 3
    meter.request_ended()
    assert taken == [('local', 3), ('shared', 0), ('computed', 0)]
    del taken[:]
    meter.is_taken_later = True
    cache.stat_hit = 7
    meter.request_ended()
    assert not taken
    meter.take()
    assert taken == [('local', 4), ('shared', 0), ('computed', 0)]


def test_reports_are_written_once_in_a_while_and_left_out_while_redis_is_away(reporter):
    redis = reporter._store
    for now in (100.0, 101.0, 104.9, 105.0):
        reporter.set_clock(now)
        end_request(reporter, 'one')
    assert redis.attempts == 2
    redis.away = True
    for now in (110.0, 115.0, 115.1):
        reporter.set_clock(now)
        end_request(reporter, 'one')
    assert redis.attempts == 3


def test_a_node_is_the_sum_of_its_workers_and_a_rate_belongs_to_what_reached_the_level():
    def worker(node, process, **numbers):
        return dict(dict(node=node, process=process, database='one', entries=5, local=80, shared=5,
                         computed=15, generation='g1'), **numbers)
    a, b = overview.nodes([worker('a', 1), worker('a', 2, local=120, computed=75, generation='g2'),
                           worker('b', 3, local=0, shared=0, computed=0)])
    assert (a['workers'], a['entries'], a['local'], a['shared'], a['computed']) == (2, 10, 200, 10, 90)
    assert (a['local_rate'], a['shared_rate']) == (200 * 100.0 / 300, 10.0)
    assert a['generations'] == ['g1', 'g2']
    assert (b['local_rate'], b['shared_rate']) == (None, None)
