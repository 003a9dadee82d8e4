# -*- coding: utf-8 -*-
"""The shared ormcache between real workers of OpenERP: what reaches another node, and what must not."""
import json
import os
import subprocess
import sys

import pytest
from testbed import session
from testbed.node import write_secret_key
from workers import Fault, Worker


@pytest.fixture
def start(postgres, redis_server):
    """A function that starts a worker on the test's database and Redis."""
    name, workers = 'shared_answers', []
    postgres.create_database(name, 'tpl_base')
    key_file = write_secret_key(os.path.join(session.fresh_folder('shared'), 'key'))

    def start_one(**environment):
        workers.append(Worker('ours', name, postgres, redis_server.url, key_file, **environment))
        workers[-1].wait_until_ready()
        workers[-1].call('res.users', 'search', [])
        return workers[-1]
    yield start_one
    for worker in workers:
        worker.stop()
    postgres.drop_database(name)


def held(worker):
    return worker.run("from oe_cluster_launch.ormcache.local import level_of\n"
                      "answer = level_of(database).entries()")


def drop(worker):
    """Make a worker as cold as a new one."""
    worker.run("from oe_cluster_launch.seams.openerp7 import local_state\n"
               "local_state.drop(openerp.pooler.get_pool(database))\n"
               "from oe_cluster_launch.ormcache import decorator\n"
               "decorator.fill.__self__._level._positions.clear()")


def test_a_cold_worker_is_warm_after_one_round_trip(start):
    a, b = start(), start()
    a.call('res.users', 'fields_view_get', False, 'form')
    a.call('res.users', 'context_get')
    warm = held(a)
    assert warm > 10
    drop(b)
    b.call('res.users', 'search', [])
    assert held(b) >= 0.8 * warm
    trips = b.run("from oe_cluster_launch.ormcache import decorator\n"
                  "answer = decorator.fill.__self__._level.counts['received']")
    assert trips > 10


def test_what_a_request_computed_after_a_clear_is_not_shared(start, redis_server):
    a, b = start(), start()
    a.call('res.users', 'context_get')
    a.run("users = openerp.pooler.get_pool(database).get('res.users')\n"
          "def write_and_read(cr, uid, values):\n"
          "    users.write(cr, uid, [uid], values)\n"
          "    return users.context_get(cr, uid)['tz']\n"
          "users.write_and_read = write_and_read")
    assert a.call('res.users', 'write_and_read', {'tz': 'Asia/Tokyo'}) == 'Asia/Tokyo'
    assert b.call('res.users', 'context_get')['tz'] == 'Asia/Tokyo'
    a.run("def write_read_fail(cr, uid, values):\n"
          "    write_and_read(cr, uid, values)\n"
          "    raise ValueError\n"
          "users.write_read_fail = write_read_fail")
    with pytest.raises(Fault):
        a.call('res.users', 'write_read_fail', {'tz': 'Asia/Kolkata'})
    drop(b)
    assert b.call('res.users', 'context_get')['tz'] == 'Asia/Tokyo'
    assert a.call('res.users', 'context_get')['tz'] == 'Asia/Tokyo'


def test_a_signal_between_a_requests_start_and_its_first_miss_keeps_old_answers_out(start):
    # t0 b begins   t1 a changes and signals   t2 b misses: what it is given is its own generation's
    a, b = start(), start()
    a.call('res.users', 'context_get')
    a.call('res.users', 'write', [1], {'tz': 'Asia/Tokyo'})
    drop(b)
    a.call('res.users', 'context_get')
    assert b.call('res.users', 'context_get')['tz'] == 'Asia/Tokyo'
    a.call('res.users', 'write', [1], {'tz': 'Europe/Rome'})
    assert b.call('res.users', 'context_get')['tz'] == 'Europe/Rome'


def test_statistics_and_flush_reach_every_worker(start, postgres, redis_server, tmpdir):
    a = start()
    a.call('res.users', 'fields_view_get', False, 'form')
    a.run("from oe_cluster_launch.ormcache import decorator\n"
          "decorator.fill.__self__._statistics._due = 0.0")
    a.call('res.users', 'context_get')
    conf = tmpdir.join('node.conf')
    conf.write("[options]\ndb_host = %s\ndb_port = %d\ndb_user = %s\ndb_name = shared_answers\n"
               "[cluster]\nredis_url = %s\n"
               % (postgres.host, postgres.port, postgres.role, redis_server.url))

    def command(*words):
        return subprocess.check_output(
            [sys.executable, '-m', 'oe_cluster_launch', 'cache'] + list(words) + ['-c', str(conf)])
    found = json.loads(command('stats', '-f', 'json').decode('utf-8'))
    assert [(row['node'], row['database']) for row in found['workers']] == [('worker', 'shared_answers')]
    assert found['workers'][0]['entries'] == held(a) > 10
    assert found['workers'][0]['computed'] > 10
    assert 0 < found['workers'][0]['local_rate'] < 100
    assert found['nodes'][0]['entries'] == held(a)
    assert found['nodes'][0]['generations'] == [found['logs'][0]['generation']]
    assert found['logs'][0]['database'] == 'shared_answers'
    assert found['logs'][0]['bytes'] > 1000
    assert b'shared_answers' in command('stats')
    assert b'1 logs dropped' in command('flush', '--db', 'shared_answers')
    before = held(a)
    a.call('res.users', 'search', [])
    assert held(a) < before
    assert json.loads(command('stats', '-f', 'json').decode('utf-8'))['workers'] != []
