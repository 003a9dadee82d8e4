# -*- coding: utf-8 -*-
"""Two nodes behind nginx under constant load, POSTs included: whatever is done to them, no
request is lost and none is answered wrongly."""
import http.client
import re
import signal
import threading
import time

import pytest
from testbed import process_table, running
from testbed.clients import XmlRpcClient
from testbed.load import Load
from testbed.node import VERSION_CALL
from testbed.waiting import wait_until

ADDON = 'process'


@pytest.fixture
def two_nodes(cluster):
    """Two nodes with round robin before them."""
    return cluster(nodes=2, template='tpl_base')


def pids(node, role):
    return sorted(pid for pid, title in node.titles().items() if ': %s %s [' % (node.name, role) in title)


def restart(node):
    node.stop(timeout_seconds=40)
    node.start()
    wait_until(node.is_known_as_ready, 20, "the node serves again")
    # nginx has taken it for dead and tries it again after its fail_timeout: whoever stops the
    # other node before that leaves nginx with none ("no live upstreams")
    served = served_by(node)
    wait_until(lambda: served_by(node) > served + 10, 20, "nginx has noticed")


def served_by(node):
    """How many requests the node says it has answered."""
    titles = ' '.join(node.titles().values())
    return int(re.search(r'(\d+) requests served', titles).group(1))


def reload_node(node):
    before = pids(node, 'master')
    node.hang_up()
    wait_until(lambda: pids(node, 'master') and not set(pids(node, 'master')) & set(before), 40,
               "a new master serves alone")


def kill_a_worker_between_requests(node):
    """SIGKILL one that has no connection; it is stopped while we look."""
    for _ in range(500):
        for pid in pids(node, 'http worker'):
            running.send([pid], signal.SIGSTOP)
            if not process_table.serves_a_connection(pid, node.port) and process_table.entry(pid):
                running.send([pid], signal.SIGKILL)
                return pid
            running.send([pid], signal.SIGCONT)
            time.sleep(0.01)
    raise AssertionError("no worker was ever idle")


def install_addon(cluster, node):
    """Install an addon through one node; wait until every node's master has it preloaded."""
    before = [pids(each, 'master') for each in cluster.nodes]
    client = XmlRpcClient(node.url, cluster.database)
    found = client.call('ir.module.module', 'search', [('name', '=', ADDON)])
    client.call('ir.module.module', 'button_immediate_install', found)
    wait_until(lambda: all(pids(each, 'master') and not set(pids(each, 'master')) & set(old)
                           for each, old in zip(cluster.nodes, before)), 60,
               "both masters were replaced")


def test_restart_reload_install_and_kill_lose_no_request(two_nodes):
    a, b = two_nodes.nodes
    began = time.time()
    done = []

    def act(name, function, *arguments):
        function(*arguments)
        done.append('%.0f s: %s' % (time.time() - began, name))
        assert not load.failures, (done, load.failures[:5])

    with Load(two_nodes.round_robin_url, two_nodes.database) as load:
        time.sleep(3)
        for _ in range(2):
            act('restart a', restart, a)
            act('restart b', restart, b)
            act('reload a', reload_node, a)
            act('reload b', reload_node, b)
            act('kill a worker of a', kill_a_worker_between_requests, a)
            act('kill a worker of b', kill_a_worker_between_requests, b)
        act('install an addon', install_addon, two_nodes, a)
        while time.time() - began < 125:
            act('restart a', restart, a)
            act('reload b', reload_node, b)
    assert load.failures == []
    assert load.served > 1500, load.served
    client = XmlRpcClient(two_nodes.url, two_nodes.database)
    found = client.call('res.partner', 'search', [('name', 'like', 'Load %')])
    assert sorted(found) == sorted(number for number, _ in load.created), "each was created once"


def test_a_node_that_stops_alone_answers_all_that_it_has_accepted(cluster):
    """Straight at one node, without a proxy that could help: accepted is answered.

    A connection that the kernel has accepted when the node is told to stop waits
    behind busy workers; it must be answered, and one that comes later refused.
    """
    node = cluster(nodes=1, template='tpl_base', workers=1).nodes[0]
    answered, refused, broken = [], [], []
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            connection = http.client.HTTPConnection('127.0.0.1', node.port, timeout=20)
            try:
                connection.connect()
            except OSError:
                refused.append(1)
                return
            try:
                connection.request('POST', '/xmlrpc/common', VERSION_CALL, {'Content-Type': 'text/xml'})
                answered.append(connection.getresponse().read())
            except (OSError, http.client.HTTPException) as error:
                broken.append(repr(error))
            finally:
                connection.close()

    clients = [threading.Thread(target=ask) for _ in range(12)]
    for client in clients:
        client.start()
    wait_until(lambda: len(answered) > 100, 20, "there is load")
    node.stop()
    stop.set()
    for client in clients:
        client.join(30)
    assert len(refused) == 12
    assert broken == []
