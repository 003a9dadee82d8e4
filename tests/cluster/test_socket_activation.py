# -*- coding: utf-8 -*-
"""A socket that systemd keeps: the node starts at the first connection, and serves that very socket.

`systemd-socket-activate` stands for systemd here, so that this needs no systemd as process 1; what a
restart under the real one does to clients is in test_systemd.py.
"""
import concurrent.futures

import pytest
from testbed import session
from testbed.node import VERSION_CALL, NodeProcess, write_secret_key
from testbed.waiting import wait_until

LISTENING = '0A'


class ActivatedNode(NodeProcess):
    """A node whose port is opened by systemd-socket-activate, with the same pid."""

    def command(self):
        names = sorted(self.environment) + ['PYTHONPATH', 'PATH', 'HOME', 'LANG']
        return ['/usr/bin/systemd-socket-activate', '-l', '127.0.0.1:%d' % self.port] + [
            word for name in names for word in ('-E', name)] + super().command()

    def is_open(self):
        return bool(self.listening_socket())

    def listening_socket(self):
        """The inode of what listens on our port, as the kernel has it; None when nothing does."""
        with open('/proc/net/tcp') as sockets:
            for fields in (line.split() for line in sockets):
                if fields[1].endswith(':%04X' % self.port) and fields[3] == LISTENING:
                    return fields[9]


@pytest.fixture
def node(postgres, database, redis_server):
    folder = session.fresh_folder('activated')
    made = ActivatedNode('a', folder, postgres, redis_server.url, write_secret_key(folder + '/secret.key'),
                         database=database('tpl_base'))
    made.start(wait=False)
    yield made
    made.kill_all()


def masters(node):
    return [pid for pid, title in node.titles().items() if ' master ' in title]


def test_a_node_starts_at_the_first_connection_and_serves_the_socket_it_was_given(node):
    wait_until(node.is_open, 20, "the port is open")
    given = node.listening_socket()
    assert not masters(node) and 'systemd-socket-activate' in node.titles()[node.pid]
    # all of these wait in the kernel until the node is up
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: node.get('/xmlrpc/common', VERSION_CALL, 60), range(8)))
    assert answers == [200] * 8
    assert node.listening_socket() == given
    before = masters(node)
    node.hang_up()
    wait_until(lambda: masters(node) and not set(before) & set(masters(node)), 60, "a new master serves")
    assert node.get('/xmlrpc/common', VERSION_CALL) == 200
    assert node.listening_socket() == given
    assert node.stop() == 0
