# -*- coding: utf-8 -*-
"""The facts, gathered from a real Redis that nodes have written their records into."""
import json
import time

import pytest

from oe_cluster_launch import cli
from oe_cluster_launch.cluster.membership import Membership
from oe_cluster_launch.cron.lease import Lease
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.status.facts import Facts
from oe_cluster_launch.store import Store

PROFILE = {'version': '0.1.0', 'host_version': '7.0', 'addons': 'aaaa', 'keys': ['k'],
           'databases': ['company'], 'postgres': '77', 'address': '10.0.0.1:8069', 'workers': 2}
LOAD = {'ready': 2, 'busy': 1, 'wanted': 2, 'queued': 0, 'requests': 7, 'requests_failed': 0,
        'requests_per_second': 1.5, 'load_average': 0.1, 'processors': 2}


@pytest.fixture
def two_nodes(store):
    """Records of a leader and of a node whose clock is a minute ahead and whose addons are others."""
    settings = load_settings()
    for name, ahead, addons in (('a', 0, 'aaaa'), ('b', 60, 'bbbb')):
        Membership(store, settings, name, 'token-' + name, dict(PROFILE, addons=addons),
                   wall_clock=lambda ahead=ahead: time.time() + ahead).report(
            role='leader' if name == 'a' else 'candidate', state='running', load=LOAD)
    assert Lease(store, settings, 'a', 'token-a').acquire() is not None
    return store


def test_facts_are_those_in_redis(two_nodes):
    store = two_nodes
    for number in range(1500):
        store.client().set(store.keys.session('s%d' % number), 1)
    store.client().set(store.keys.cache_statistics('a', 1), json.dumps(
        {'node': 'a', 'process': 1, 'databases': dict.fromkeys(('one', 'two'), {
            'local': 43, 'shared': 2, 'computed': 4, 'entries': 7, 'generation': 'g'})}))
    found = Facts(store).gather()
    assert (found['leader'], found['term'], len(found['history'])) == ('a', 1, 1)
    assert [node['node'] for node in found['nodes']] == ['a', 'b'] and 'token' not in found['nodes'][0]
    assert found['nodes'][0]['load'] == LOAD
    assert abs(found['nodes'][0]['clock_skew_seconds']) < 5
    assert 55 < found['nodes'][1]['clock_skew_seconds'] < 65
    assert found['sessions'] == {'count': 1500, 'complete': True}
    assert [found['cache'][name] for name in ('workers', 'hits', 'misses', 'shared_hits')] == [1, 90, 8, 4]
    assert (found['cache']['hit_rate'], found['cache']['shared_rate']) == (100.0 * 90 / 98, 100.0 * 4 / 12)
    assert found['redis']['redis_version'] and found['redis']['used_memory'] > 0
    assert abs(found['time'] - time.time()) < 5
    texts = ' / '.join(warning['what'] for warning in found['warnings'])
    assert 'b differs from most nodes in its addons' in texts or 'a differs' in texts
    assert 'Node b has a clock' in texts
    json.dumps(found)


def test_an_evicting_redis_is_told(redis_server_of, settings_of):
    server = redis_server_of(settings={'maxmemory': '3mb', 'maxmemory-policy': 'allkeys-lru'})
    store = Store(settings_of(server))
    for number in range(300):
        store.client().set('filler%d' % number, b'x' * 20000)
    found = Facts(store).gather()
    texts = [warning['what'] for warning in found['warnings']]
    assert any('allkeys-lru' in text for text in texts)
    assert any('has evicted' in text for text in texts) and found['redis']['evicted_keys'] > 0
    store.close()


def test_many_viewers_cost_no_more_than_one(two_nodes, round_trips):
    facts = Facts(two_nodes)
    facts.gather()
    with round_trips() as count:
        for _ in range(50):
            facts.gather()
        assert count() == 0


def test_a_walk_that_takes_too_long_is_a_lower_bound(two_nodes, monkeypatch):
    from oe_cluster_launch.status import facts as module
    monkeypatch.setattr(module, 'LONGEST_WALK_SECONDS', -1)
    assert Facts(two_nodes).gather()['sessions']['complete'] is False


def test_without_a_walk_sessions_are_left_out(two_nodes):
    assert Facts(two_nodes).gather(walk=False)['sessions'] is None


def test_redis_away_is_a_fact(settings_of, redis_server_of):
    server = redis_server_of()
    store = Store(settings_of(server, redis_timeout=0.5))
    server.kill_all()
    found = Facts(store).gather()
    assert found['redis']['error'] and found['warnings'][0]['level'] == 'fail'


def test_top_shows_it_once_as_text_and_as_json(two_nodes, shared_redis, tmp_path, capsys):
    path = tmp_path / 'node.conf'
    path.write_text(u'[cluster]\nredis_url = %s\nredis_prefix = %s\n' % (
        shared_redis.url, two_nodes.keys.prefix))
    assert cli.main(['top', '--once', '-c', str(path)]) == 0
    text = capsys.readouterr().out
    assert 'a leads cron, term 1' in text and '1/2' in text and '!! Node b has a clock' in text
    assert cli.main(['top', '-1', '-f', 'json', '-c', str(path)]) == 0
    assert json.loads(capsys.readouterr().out)['leader'] == 'a'
    path.write_text(u'[cluster]\nredis_url = unix:///nowhere/redis.sock\n')
    assert cli.main(['top', '--once', '-c', str(path)]) == 69
    assert 'Redis is away' in capsys.readouterr().out
