# -*- coding: utf-8 -*-
"""A request over a limit ends in a clean error; its neighbours notice nothing."""
import http.client
import os
import signal
import time
import xmlrpc.client

import pytest
from testbed import slow
from testbed.clients import WebClient, XmlRpcClient
from testbed.waiting import wait_until

OPTIONS = {'limit_time_real': 3, 'limit_time_cpu': 1, 'limit_memory_hard': 400 << 20}


@pytest.fixture
def node(cluster):
    """One node with strict limits and two workers."""
    made = cluster(nodes=1, template='tpl_base', options=OPTIONS, settings={'access_log': 'on'})
    return made.nodes[0]


def client_of(node):
    return XmlRpcClient(node.url, node.options['db_name'])


def workers(node):
    """{pid: title} of the HTTP workers."""
    return dict((pid, title) for pid, title in node.titles().items() if 'http worker' in title)


def limit_lines(node, name):
    return [line for line in node.log().splitlines() if ' %s: ended after' % name in line]


def assert_only_this_request_suffers(node, action, name, status, slower_than=0.0):
    """Run `action` and, beside it, other requests; the first is ended, the others are answered."""
    neighbour = client_of(node)
    before = set(workers(node))
    running = action.start()
    began = time.time()
    while running.is_alive():
        assert neighbour.call('res.users', 'search', [('id', '=', 1)]) == [1]
        assert time.time() - began < 30
    with pytest.raises(xmlrpc.client.ProtocolError) as failure:
        running.result()
    assert failure.value.errcode == status
    assert time.time() - began >= slower_than
    assert len(limit_lines(node, name)) == 1
    line = limit_lines(node, name)[0]
    assert 'POST /xmlrpc/object' in line
    assert 'database %s, user 1, ir.actions.server.run, request ' % neighbour.database in line
    wait_until(lambda: len(workers(node)) == 2 and len(set(workers(node)) & before) == 1, 10,
               "the worker was replaced, and only that one")
    for _ in range(10):
        assert neighbour.call('res.users', 'search', [('id', '=', 1)]) == [1]


@pytest.mark.parametrize('code', [slow.SLEEP_IN_PYTHON, slow.SLEEP_IN_POSTGRES])
def test_limit_time_real_ends_one_request_wherever_it_waits(node, code):
    action = slow.Action(client_of(node), code, 20)
    began = time.time()
    assert_only_this_request_suffers(node, action, 'limit_time_real', 503, slower_than=2.5)
    assert time.time() - began < 10


def test_limit_time_cpu_ends_one_request(node):
    action = slow.Action(client_of(node), slow.COUNT, 10 ** 12)
    assert_only_this_request_suffers(node, action, 'limit_time_cpu', 503)


def test_limit_memory_hard_ends_a_request_that_asks_for_all_at_once(node):
    action = slow.Action(client_of(node), slow.ALLOCATE_MB, 2000)
    assert_only_this_request_suffers(node, action, 'limit_memory_hard', 500)


def test_limit_memory_hard_ends_a_request_that_grows(cluster):
    options = dict(OPTIONS, limit_time_real=60, limit_time_cpu=60)
    node = cluster(nodes=1, template='tpl_base', options=options).nodes[0]
    action = slow.Action(client_of(node), slow.GROW_MB, 2000)
    assert_only_this_request_suffers(node, action, 'limit_memory_hard', 500)


def test_what_an_ended_request_wrote_is_rolled_back(node):
    client = client_of(node)
    action = slow.Action(client, "pool.get('res.partner').create(cr, uid, {'name': 'Half'})\n"
                                 + slow.SLEEP_IN_POSTGRES, 20)
    with pytest.raises(xmlrpc.client.ProtocolError):
        action.run()
    assert client.call('res.partner', 'search', [('name', '=', 'Half')]) == []


def test_the_web_client_gets_a_sentence_and_its_session_goes_on(node):
    web = WebClient(node.url, node.options['db_name'])
    web.log_in()
    action = slow.Action(client_of(node), slow.SLEEP_IN_PYTHON, 20)
    answer = web.http.post(node.url + '/web/dataset/call_kw', timeout=20, json={
        'jsonrpc': '2.0', 'method': 'call', 'id': 1, 'params': {
            'session_id': web.session_id, 'model': 'ir.actions.server', 'method': 'run',
            'args': [[action.id], {'active_id': 1, 'active_model': 'res.partner'}], 'kwargs': {}}})
    assert answer.status_code == 503
    assert 'limit_time_real' in answer.text
    assert answer.headers['X-Request-ID'] in limit_lines(node, 'limit_time_real')[0]
    assert web.info()['uid'] == 1


def test_a_request_below_the_limits_is_left_alone(node):
    action = slow.Action(client_of(node), slow.SLEEP_IN_PYTHON, 2)
    assert action.run() == {'done': True}
    assert ': ended after' not in node.log()


def test_a_worker_leaves_after_limit_request_and_after_limit_memory_soft(cluster):
    node = cluster(nodes=1, template='tpl_base', workers=1,
                   options={'limit_request': 10, 'limit_memory_soft': 250 << 20}).nodes[0]
    client = client_of(node)
    for _ in range(40):
        assert client.call('res.users', 'search', [('id', '=', 1)]) == [1]
    assert node.log().count('leaves: limit_request') >= 3
    hoarder = slow.Action(client, "pool._init_parent['hoard'] = 'x' * (200 << 20)")
    assert hoarder.run() == {'done': True}
    wait_until(lambda: 'leaves: limit_memory_soft' in node.log(), 5, "the soft limit was noticed")
    line = [line for line in node.log().splitlines() if 'limit_memory_soft' in line][0]
    assert 'ir.actions.server.run' in line
    assert client.call('res.users', 'search', [('id', '=', 1)]) == [1]


def test_a_worker_that_cannot_be_interrupted_is_killed_by_the_master(cluster, postgres):
    node = cluster(nodes=1, template='tpl_base', workers=1, options={'limit_time_real': 1}).nodes[0]
    client = client_of(node)
    worker = sorted(workers(node))[0]
    running = slow.Action(client, slow.SLEEP_IN_POSTGRES, 60).start()
    wait_until(lambda: postgres.query("SELECT 1 FROM pg_stat_activity WHERE state = 'active' "
                                      "AND query LIKE 'SELECT pg_sleep%'"), 5, "the request runs")
    # stopped, it neither beats nor obeys: as if in a C function that holds the interpreter
    os.kill(worker, signal.SIGSTOP)
    wait_until(lambda: 'is stuck and was killed' in node.log(), 20, "the stuck worker was killed")
    with pytest.raises((xmlrpc.client.Error, http.client.HTTPException, OSError)):
        running.result()
    line = [line for line in node.log().splitlines() if 'is stuck and was killed' in line][0]
    assert 'ir.actions.server.run' in line
    assert client.call('res.users', 'search', [('id', '=', 1)]) == [1]
