# -*- coding: utf-8 -*-
"""Nothing open crosses the fork: the master of a serving node is connected to nobody."""
import os
from concurrent.futures import ThreadPoolExecutor

from testbed.clients import WebClient


def tcp_ports_connected(pid):
    """The remote TCP ports that the process holds connections to, from the kernel's own table."""
    inodes = set()
    for descriptor in os.listdir('/proc/%d/fd' % pid):
        try:
            target = os.readlink('/proc/%d/fd/%s' % (pid, descriptor))
        except OSError:
            continue
        if target.startswith('socket:['):
            inodes.add(target[len('socket:['):-1])
    ports = []
    with open('/proc/%d/net/tcp' % pid) as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            remote_port = int(fields[2].split(':')[1], 16)
            if fields[9] in inodes and remote_port:
                ports.append(remote_port)
    return ports


def pids(node, role):
    return [pid for pid, title in node.titles().items() if ' %s ' % role in title]


def test_the_master_holds_no_connection_and_its_workers_have_their_own(
        cluster, postgres, redis_server_of):
    redis = redis_server_of(tcp=True)
    one = cluster(nodes=1, template='tpl_base', redis=redis,
                  options={'db_host': '127.0.0.1', 'db_port': postgres.port})
    node = one.nodes[0]
    with ThreadPoolExecutor(4) as clients:  # more at once than a worker takes: every one has been asked
        list(clients.map(lambda _: WebClient(node.url, one.database).log_in(), range(12)))
    servers = {redis.port, postgres.port}
    master, = pids(node, 'master')
    assert not servers & set(tcp_ports_connected(master))
    for worker in pids(node, 'http worker'):
        assert set(tcp_ports_connected(worker)) >= servers


def shared_megabytes(pid):
    """Memory that other processes still share, written once, before the fork: the master's objects."""
    with open('/proc/%d/smaps_rollup' % pid) as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith('Shared_Dirty:')) >> 10


def test_what_the_master_has_loaded_stays_shared_while_workers_work(cluster):
    node = cluster(nodes=1, template='tpl_full', workers=1).nodes[0]
    worker, = pids(node, 'http worker')
    before = shared_megabytes(worker)
    client = WebClient(node.url, node.options['db_name'])
    client.log_in()
    for _ in range(60):  # one collection of everything is due in these, if the master does not prevent it
        client.call('res.partner', 'fields_view_get', False, 'form')
    assert pids(node, 'http worker') == [worker]
    assert before > 60 and shared_megabytes(worker) > 0.58 * before  # 0.68 as measured; else 0.48
