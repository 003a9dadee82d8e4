# -*- coding: utf-8 -*-
"""A Redis master with a replica, watched by three Sentinels."""
import os

from .redis_server import BINARY, RedisServer
from .waiting import wait_until

MASTER_NAME = 'oe'


class Sentinel(RedisServer):
    """One Sentinel."""

    def __init__(self, folder, master, name, down_after_milliseconds, failover_timeout_milliseconds,
                 address):
        super(Sentinel, self).__init__(folder, tcp=True, name=name, settings=_listening(address))
        self.settings['sentinel'] = [
            'monitor %s %s %d 2' % (MASTER_NAME, address, master.port),
            'down-after-milliseconds %s %d' % (MASTER_NAME, down_after_milliseconds),
            'failover-timeout %s %d' % (MASTER_NAME, failover_timeout_milliseconds)]

    def command(self):
        return [BINARY, os.path.join(self.folder, 'redis.conf'), '--sentinel']

    def configure(self):
        if not os.path.exists(os.path.join(self.folder, 'redis.conf')):
            super(Sentinel, self).configure()  # Sentinel rewrites the file: keep what it learned

    def _write(self, name, text):
        unknown = ('save', 'appendonly', 'appendfsync', 'databases')
        lines = [line for line in text.splitlines(True) if line.split()[0] not in unknown]
        return super(Sentinel, self)._write(name, ''.join(lines))


def _listening(address):
    """Where it listens besides loopback, without a password."""
    if address == '127.0.0.1':
        return {}
    return {'bind': '127.0.0.1 %s' % address, 'protected-mode': 'no'}


class SentinelTrio(object):
    """`master`, `replica` and `sentinels`; all RedisServer objects, started by start().

    Master and replica are what they were at the start: failovers exchange them.
    """

    def __init__(self, folder, down_after_milliseconds=500, failover_timeout_milliseconds=5000,
                 address='127.0.0.1'):
        self.address = address
        self.master = RedisServer(os.path.join(folder, 'm'), tcp=True, name='redis-master',
                                  settings=_listening(address))
        self.replica = RedisServer(
            os.path.join(folder, 'r'), tcp=True, name='redis-replica',
            settings=dict(_listening(address), replicaof='%s %d' % (address, self.master.port)))
        self.sentinels = [
            Sentinel(os.path.join(folder, 's%d' % number), self.master, 'sentinel-%d' % number,
                     down_after_milliseconds, failover_timeout_milliseconds, address)
            for number in (1, 2, 3)]

    @property
    def addresses(self):
        """host:port of each Sentinel."""
        return ['%s:%d' % (self.address, sentinel.port) for sentinel in self.sentinels]

    def start(self):
        """Start all and wait until the Sentinels know each other and the replica is in step."""
        self.master.start()
        self.replica.start()
        for sentinel in self.sentinels:
            sentinel.start()
        self.wait_until_whole()
        return self

    def wait_until_whole(self):
        """Wait until the Sentinels name one master and its replica follows."""
        wait_until(lambda: all('status=ok' in told and 'slaves=1,sentinels=3' in told for told in
                               [sentinel.ask('INFO', 'sentinel') for sentinel in self.sentinels]),
                   30, "the Sentinels agree")
        wait_until(lambda: len(set(sentinel.ask('SENTINEL', 'get-master-addr-by-name', MASTER_NAME)
                                   for sentinel in self.sentinels)) == 1, 30, "they name one master")
        wait_until(lambda: 'master_link_status:up' in self.present()[1].ask('INFO', 'replication'),
                   30, "the replica is in step")

    def present(self):
        """(master, replica) as the Sentinels see them now."""
        both = (self.master, self.replica)
        return both if self.master_port() == self.master.port else both[::-1]

    def rejoin(self, server):
        """Start a server that was master before the failover: as a replica, without its data."""
        other = self.replica if server is self.master else self.master
        server.settings['replicaof'] = '%s %d' % (self.address, other.port)
        server.start()

    def master_port(self):
        """The port of the master that the Sentinels name now."""
        for sentinel in self.sentinels:
            answer = sentinel.ask('SENTINEL', 'get-master-addr-by-name', MASTER_NAME).split()
            if len(answer) == 2:
                return int(answer[1])
        return None

    def kill_all(self):
        """Kill all five."""
        for server in self.sentinels + [self.replica, self.master]:
            server.kill_all()
