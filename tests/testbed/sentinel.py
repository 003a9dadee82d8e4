# -*- coding: utf-8 -*-
"""A Redis master with a replica, watched by three Sentinels."""
import os

from .redis_server import BINARY, RedisServer
from .waiting import wait_until

MASTER_NAME = 'oe'


class Sentinel(RedisServer):
    """One Sentinel, on a loopback port."""

    def __init__(self, folder, master, name, down_after_milliseconds):
        super(Sentinel, self).__init__(folder, tcp=True, name=name)
        self.settings['sentinel'] = [
            'monitor %s 127.0.0.1 %d 2' % (MASTER_NAME, master.port),
            'down-after-milliseconds %s %d' % (MASTER_NAME, down_after_milliseconds),
            'failover-timeout %s 5000' % MASTER_NAME]

    def command(self):
        return [BINARY, os.path.join(self.folder, 'redis.conf'), '--sentinel']

    def configure(self):
        if not os.path.exists(os.path.join(self.folder, 'redis.conf')):
            super(Sentinel, self).configure()  # Sentinel rewrites the file: keep what it learned

    def _write(self, name, text):
        unknown = ('save', 'appendonly', 'appendfsync', 'databases')
        lines = [line for line in text.splitlines(True) if line.split()[0] not in unknown]
        return super(Sentinel, self)._write(name, ''.join(lines))


class SentinelTrio(object):
    """`master`, `replica` and `sentinels`; all RedisServer objects, started by start()."""

    def __init__(self, folder, down_after_milliseconds=500):
        self.master = RedisServer(os.path.join(folder, 'm'), tcp=True, name='redis-master')
        self.replica = RedisServer(
            os.path.join(folder, 'r'), tcp=True, name='redis-replica',
            settings={'replicaof': '127.0.0.1 %d' % self.master.port})
        self.sentinels = [
            Sentinel(os.path.join(folder, 's%d' % number), self.master, 'sentinel-%d' % number,
                     down_after_milliseconds) for number in (1, 2, 3)]

    @property
    def addresses(self):
        """host:port of each Sentinel."""
        return ['127.0.0.1:%d' % sentinel.port for sentinel in self.sentinels]

    def start(self):
        """Start all and wait until the Sentinels know each other and the replica is in step."""
        self.master.start()
        self.replica.start()
        for sentinel in self.sentinels:
            sentinel.start()
        wait_until(lambda: all('slaves=1,sentinels=3' in sentinel.ask('INFO', 'sentinel')
                               for sentinel in self.sentinels), 20, "the Sentinels agree")
        wait_until(lambda: 'master_link_status:up' in self.replica.ask('INFO', 'replication'),
                   20, "the replica is in step")
        return self

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
