# -*- coding: utf-8 -*-
"""/_cluster/live, ready, leader and /web/health, asked from outside while things go wrong."""
import json
import signal
import socket
import threading
import time

import pytest
from testbed import process_table, running, session, slow
from testbed.clients import XmlRpcClient
from testbed.cluster import Cluster
from testbed.redis_server import RedisServer
from testbed.waiting import wait_until

#: an answer that waits for anything takes seconds; on a loaded machine one that does not may take this
AT_ONCE_SECONDS = 1.5


@pytest.fixture(scope='module')
def pair(postgres):
    """Two nodes that each test leaves as it found them."""
    database = postgres.create_database('health', 'tpl_base')
    redis = RedisServer(session.fresh_folder('redis')).start()
    with Cluster(session.fresh_folder('cluster'), postgres, redis, database,
                 settings={'cron_lease_ttl': '6s', 'cron_renew_interval': '1s', 'cron_lease_margin': '1s',
                           'member_ttl': '6s'}) as made:
        yield made.start()
    redis.kill_all()


@pytest.fixture
def node(pair):
    return pair.node('a')


def ask(node, path='/_cluster/ready', **headers):
    """(status, the JSON) of the status port, which must answer at once."""
    began = time.time()
    status, _, body = node.status(path, **headers)
    assert time.time() - began < AT_ONCE_SECONDS, (path, status)
    return status, json.loads(body) if body.startswith('{') else {}


def checks(node):
    """{check: status} of what ready says."""
    return dict((name, found[0]['status']) for name, found in ask(node)[1]['checks'].items())


def pids(node, role):
    return sorted(pid for pid, title in node.titles().items() if ': %s %s [' % (node.name, role) in title)


def paused(pid):
    """Within the block, a process and its children are stopped."""
    return running_paused(process_table.family(pid))


class running_paused(object):
    def __init__(self, stopped):
        self.stopped = stopped

    def __enter__(self):
        running.send(self.stopped, signal.SIGSTOP)

    def __exit__(self, *_exception):
        running.send(self.stopped, signal.SIGCONT)


def test_a_node_says_how_it_is_as_health_json(node):
    for path in ('/_cluster/live', '/_cluster/ready'):
        status, headers, body = node.status(path)
        assert (status, headers['Content-Type']) == (200, 'application/health+json'), body
        assert headers['Cache-Control'] == 'no-store' and 'Set-Cookie' not in headers
        answer = json.loads(body)
        assert (answer['status'], answer['serviceId']) == ('pass', 'a')
        for found in answer['checks'].values():
            assert {'componentType', 'status', 'time', 'observedValue'} <= set(found[0])
    assert set(checks(node)) == {'node:draining', 'master:silence', 'postgresql:responseTime',
                                 'redis:responseTime', 'registry:loaded', 'workers:busy'}
    assert ask(node)[1]['checks']['registry:loaded'][0]['observedValue'] == ['health']
    assert node.get('/_cluster/ready') == node.get('/_cluster/live') == 200, "the HTTP workers, too"


def test_web_health_is_that_of_later_odoo(node):
    status, headers, body = node.status('/web/health')
    assert (status, headers['Content-Type']) == (200, 'application/json')
    assert json.loads(body) == {'status': 'pass'}
    assert node.get('/web/health') == 200
    assert ask(node, '/web/health?db_server_status=1') == (200, {'status': 'pass', 'db_server_status': True})


def test_exactly_the_node_that_holds_the_lease_is_leader(pair):
    def leaders():
        return [each for each in pair.nodes if ask(each, '/_cluster/leader')[0] == 200]
    leader = wait_until(leaders, 10, "one leads")[0]
    assert pair.redis.ask('GET', 'oe:lease:cron').split()[2] == leader.name
    term = ask(leader, '/_cluster/leader')[1]['checks']['cron:term'][0]['observedValue']
    with running_paused(pids(leader, 'cron agent')):
        # however long the agent sleeps, its node must not claim a lease that is over
        def another():
            found = leaders()
            assert len(found) < 2, "two leaders"
            return found and found[0] is not leader
        wait_until(another, 20, "the other node leads")
    new = leaders()[0]
    assert ask(new, '/_cluster/leader')[1]['checks']['cron:term'][0]['observedValue'] > term
    assert leader.get('/_cluster/leader') == 503 and new.get('/_cluster/leader') == 200


def test_busy_workers_do_not_keep_the_node_from_answering(pair, node):
    client = XmlRpcClient(node.url, pair.database)
    action = slow.Action(client, slow.SLEEP_IN_PYTHON, 4)
    calls = [action.start() for _ in range(4)]
    wait_until(lambda: checks(node)['workers:busy'] == 'warn', 4, "all are busy and some wait")
    assert node.get('/_cluster/live', timeout_seconds=0.5) == 0, "the HTTP workers answer nothing now"
    answer = ask(node)
    assert answer[0] == 200 and answer[1]['status'] == 'warn'
    assert 'all 2 HTTP workers are busy' in answer[1]['output']
    assert ask(node, '/_cluster/live')[0] == ask(node, '/web/health')[0] == 200
    assert [call.result() for call in calls] == [{'done': True}] * 4


def test_clients_that_say_nothing_block_nobody_and_are_dropped(node):
    clients = [socket.create_connection(('127.0.0.1', node.status_port)) for _ in range(150)]
    try:
        for client in clients[::3]:
            client.sendall(b'GET /_cluster/live HT')
        for _ in range(5):
            assert ask(node, '/_cluster/live')[0] == 200
        clients[-1].settimeout(15)
        assert clients[-1].recv(1) == b'', "dropped after a while"
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize('head, status', [
    (b'POST /_cluster/live HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n', b'405'),
    (b'GET /_cluster/else HTTP/1.1\r\nHost: x\r\n\r\n', b'404'),
    (b'GET /web/login HTTP/1.1\r\nHost: x\r\n\r\n', b'404'),
    (b'GET /_cluster HTTP/1.1\r\nHost: x\r\n\r\n', b'301'),
    (b'HEAD /_cluster/live HTTP/1.1\r\nHost: x\r\n\r\n', b'200'),
    (b'nonsense\r\n\r\n', b'400'),
    (b'GET / HTTP/1.1\r\n' + b'X: ' + 40000 * b'x', b'400'),
    (b'GET /_cluster/live HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n', b'403'),
    (b'GET /_cluster/live HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.168.1.2\r\n\r\n', b'200'),
])
def test_what_the_status_port_refuses(node, head, status):
    client = socket.create_connection(('127.0.0.1', node.status_port), timeout=10)
    client.sendall(head)
    answer = b''
    try:
        for piece in iter(lambda: client.recv(65536), b''):
            answer += piece
    except ConnectionError:
        pass  # reset, because the kernel had more for us than we read
    client.close()
    assert answer.split(b' ')[1] == status, answer[:300]
    assert not head.startswith(b'HEAD') or answer.endswith(b'\r\n\r\n')


def test_asking_costs_redis_nothing(pair, node):
    def commands():
        return int(dict(line.split(':') for line in pair.redis.ask('INFO', 'stats').splitlines()
                        if ':' in line)['total_commands_processed'])
    before, began = commands(), time.time()
    for _ in range(300):
        assert ask(node)[0] == 200
    # two agents and two probes, a few commands a second each
    assert commands() - before < 60 + 60 * (time.time() - began)


@pytest.mark.parametrize('service, check', [('postgres', 'postgresql:responseTime'),
                                            ('redis', 'redis:responseTime')])
def test_a_server_that_hangs_makes_the_node_unready_and_blocks_no_answer(pair, node, service, check):
    with paused(getattr(pair, service).pid):
        wait_until(lambda: ask(node)[0] == 503, 10, "ready fails")
        answer = ask(node)[1]
        assert answer['checks'][check][0]['status'] == 'fail'
        assert answer['checks'][check][0]['output'] in answer['output']
        assert ask(node, '/_cluster/live')[0] == 200, "a restart would mend nothing"
        if service == 'postgres':
            assert ask(node, '/web/health?db_server_status=1')[0] == 500
    wait_until(lambda: ask(node)[0] == 200, 10, "it recovers without a restart")


def test_the_answerer_is_replaced_when_it_dies_and_nobody_notices_more_than_a_moment(node):
    before = pids(node, 'answerer')
    running.send(before, signal.SIGKILL)
    assert node.get('/_cluster/ready') == 200, "the HTTP workers answer"
    wait_until(lambda: node.status('/_cluster/ready', 1)[0] == 200, 10, "a new one answers")
    assert pids(node, 'answerer') != before


class Poller(threading.Thread):
    """Asks live and ready without a pause; keeps the statuses."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self._node, self.found, self._end = node, {}, False

    def run(self):
        while not self._end:
            for path in ('/_cluster/live', '/_cluster/ready'):
                status = self._node.status(path)[0]
                self.found.setdefault((path, status), []).append(time.time())

    def end(self):
        self._end = True
        self.join(10)
        return self.found


def test_over_a_reload_the_port_is_open_and_never_wrong(node):
    poller, old = Poller(node), pids(node, 'answerer')
    poller.start()
    for _ in range(2):
        masters = pids(node, 'master')
        node.hang_up()
        wait_until(lambda masters=masters: len(pids(node, 'master')) == 1 and pids(node, 'master') != masters,
                   40, "the old master has left")
    found = poller.end()
    assert pids(node, 'answerer') != old
    assert set(found) == {('/_cluster/live', 200), ('/_cluster/ready', 200)}, \
        dict((key, len(times)) for key, times in found.items())


def test_a_drain_is_seen_first_and_to_the_end(cluster):
    made = cluster(nodes=1, template='tpl_base', settings={'drain_seconds': '2s'})
    node = made.nodes[0]
    call = slow.Action(XmlRpcClient(node.url, made.database), slow.SLEEP_IN_PYTHON, 6).start()
    node.signal(signal.SIGTERM)
    wait_until(lambda: ask(node)[0] == 503, 2, "ready fails first")
    assert node.get('/xmlrpc/common', b'') in (200, 411, 404, 500, 400), "the HTTP port is open yet"
    assert ask(node)[1]['checks']['node:draining'][0]['status'] == 'fail'
    wait_until(lambda: node.get('/web/health') == 0, 6, "the HTTP port closes")
    assert ask(node, '/_cluster/live')[0] == 200 and ask(node)[0] == 503, "until the last request is done"
    assert call.result() == {'done': True}
    wait_until(lambda: not node.is_running(), 10, "the node ended")
    assert ask(node)[0] == 0
    assert node.exit_code() == 0


def test_a_busy_or_impossible_status_port_ends_the_start_with_one_sentence(cluster, node):
    second = cluster(nodes=1, template='tpl_base', wait=False).nodes[0]
    taken, own = node.status_port, second.port
    for port, code, sentence in ((taken, 69, 'Port %d on 127.0.0.1 cannot be used' % taken),
                                 (own, 78, 'status_port = %d: is xmlrpc_port' % own)):
        second.cluster['status_port'] = port
        second.start(wait=False)
        wait_until(lambda: not second.is_running(), 30, "it gave up")
        assert second.exit_code() == code, second.log()
        assert sentence in second.log() and 'status_port' in second.log()
        assert 'Traceback' not in second.log()


def test_without_a_status_port_and_outside_the_networks(cluster):
    made = cluster(nodes=2, template='tpl_base', node_settings={
        'a': {'status_port': 0}, 'b': {'status_networks': '10.1.0.0/16'}})
    a, b = made.nodes
    assert a.get('/_cluster/ready') == 200 and len(pids(a, 'answerer')) == 1
    with paused(made.redis.pid):
        wait_until(lambda: a.get('/_cluster/ready') == 503, 10, "its workers know all the same")
    for path in ('/_cluster/live', '/_cluster/ready', '/_cluster/leader', '/_cluster/', '/web/health'):
        assert b.status(path)[0] == b.get(path) == 403, path
