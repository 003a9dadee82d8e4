# -*- coding: utf-8 -*-
"""What chaos is let loose on: three nodes, PostgreSQL, and one Redis or a trio of Sentinels.

Nodes are cut off by pulling the cables of their network namespaces; where the
machine permits none, by pausing relays, which the output says. Each node has
a wall clock of its own that can jump. Jobs are made due all the time.
"""
import os
import threading

from testbed.clock import Clock
from testbed.network import POSTGRES, RANGE, REDIS, Network
from testbed.node import NodeProcess, write_secret_key
from testbed.problem import Problem
from testbed.redis_server import RedisServer
from testbed.relay import make_relay
from testbed.sentinel import MASTER_NAME, SentinelTrio
from testbed.waiting import wait_until
from testbed.witness import Witness

#: about a third of the shipped times
TIMES = dict(cron_lease_ttl='3s', cron_lease_margin='800ms', cron_renew_interval='600ms',
             cron_stop_timeout='500ms', redis_timeout='300ms', member_ttl='4s', cron_poll_interval='300ms',
             graceful_timeout='5s')
TTL = 3.0
JOBS = (('instant', 0.0), ('quick', 0.05), ('short', 0.2), ('middle', 0.6), ('long', 1.5))


class Cables(object):
    """Cuts by network namespaces."""

    how = "network namespaces: a veth cable to Redis and one to PostgreSQL for each node, pulled"
    services = ()
    cut_what_sentinels_name = True

    def __init__(self):
        self.network = Network()
        self.redis_address = self.network.address_of(REDIS)

    def connect(self, name, folder, redis, postgres):
        """(namespace, address and port of PostgreSQL, and of Redis) for a node."""
        return (self.network.plug_in(name), (self.network.address_of(POSTGRES), postgres.port),
                (self.redis_address, redis.port))

    def listen(self, postgres):
        postgres.listen_also(self.network.address_of(POSTGRES), RANGE)

    def pull(self, name, switch):
        self.network.pull(name, switch)

    def put_back(self, name, switch):
        self.network.put_back(name, switch)

    def remove(self):
        self.network.remove()


class Relays(object):
    """Cuts by relays that are stopped: TCP's keepalive does not notice these."""

    redis_address = '127.0.0.1'
    #: the address that Sentinels tell leads past the relay
    cut_what_sentinels_name = False

    def __init__(self, why):
        self.how = "relays (%s)" % why
        self._relays = {}

    @property
    def services(self):
        return list(self._relays.values())

    def connect(self, name, folder, redis, postgres):
        for switch, port in ((REDIS, redis.port), (POSTGRES, postgres.port)):
            relay = 'relay-%s-%s' % (switch, name)
            self._relays[name, switch] = make_relay(os.path.join(folder, relay), relay, str(port))
        return (None, ('127.0.0.1', self._relays[name, POSTGRES].port),
                ('127.0.0.1', self._relays[name, REDIS].port))

    def listen(self, postgres):
        """It listens there already."""

    def pull(self, name, switch):
        self._relays[name, switch].pause()

    def put_back(self, name, switch):
        self._relays[name, switch].resume()

    def remove(self):
        """The services are killed with the others."""


def make_cables():
    """The best that this machine permits."""
    try:
        return Cables()
    except Problem as problem:
        return Relays(str(problem))


class PostgresEndpoint(object):
    """Where a node believes PostgreSQL to be."""

    def __init__(self, host, port, role):
        self.host, self.port, self.role = host, port, role


class World(object):
    """Three nodes and all around them."""

    def __init__(self, folder, postgres, database, sentinels=False, names='abc'):
        self.cables = make_cables()
        self.cables.listen(postgres)
        self.trio = self.redis = None
        address = self.cables.redis_address
        if sentinels:
            self.trio = SentinelTrio(os.path.join(folder, 'trio'), failover_timeout_milliseconds=2000,
                                     address=address)
        else:
            bind = {'bind': '127.0.0.1 %s' % address, 'protected-mode': 'no'}
            self.redis = RedisServer(os.path.join(folder, 'redis'), tcp=True, persistent=True,
                                     settings={} if address == '127.0.0.1' else bind)
        self.witness = Witness(postgres, database).install()
        for name, seconds in JOBS:
            self.witness.add_job(name, seconds)
        key = write_secret_key(os.path.join(folder, 'secret.key'))
        self.nodes, self.clocks = {}, {}
        for name in names:
            self.nodes[name] = self._node(name, os.path.join(folder, name), postgres, database, key)

    def _node(self, name, folder, postgres, database, key):
        redis = self.redis or self.trio.master
        namespace, (host, port), redis_at = self.cables.connect(name, folder, redis, postgres)
        settings = dict(TIMES)
        if self.trio:
            settings.update(redis_sentinels=', '.join(self.trio.addresses), redis_sentinel_master=MASTER_NAME)
        self.clocks[name] = Clock(folder)
        return NodeProcess(
            name, folder, PostgresEndpoint(host, port, postgres.role), 'redis://%s:%d/0' % redis_at, key,
            database=database, workers=2, network=namespace, cluster=settings,
            environment=self.clocks[name].environment, options={'log_level': 'warn', 'max_cron_threads': 2})

    @property
    def services(self):
        return list(self.cables.services) + list(self.nodes.values())

    @property
    def redis_now(self):
        """The Redis that serves now."""
        return self.redis or self.trio.present()[0]

    def start(self):
        (self.trio or self.redis).start()
        for service in self.services:
            service.start(wait=False)
        for service in self.services:
            service.wait_until_ready()
        wait_until(lambda: self.witness.executions(), 60, "the first job ran")
        self._stopped = threading.Event()
        self._driver = threading.Thread(target=self._make_jobs_due)
        self._driver.daemon = True
        self._driver.start()
        return self

    def kill_all(self):
        self._stopped.set()
        self._driver.join(10)
        for service in list(reversed(self.services)) + [self.trio or self.redis]:
            service.kill_all()
        self.cables.remove()

    def whole_again(self):
        """After a round: every node serves, Redis is as it was."""
        if self.trio:
            self.trio.wait_until_whole()
        for node in self.nodes.values():
            if not node.is_running():
                node.start(wait=False)
        for node in self.nodes.values():
            node.wait_until_ready(60)

    def _make_jobs_due(self):
        while not self._stopped.wait(0.3):
            self.witness.make_due()

    # ------------------------------------------------------------ what the witness saw

    def leader(self):
        """The node that ran the last job."""
        return self.witness.executions(since=self.now() - 60)[-1].node

    def now(self):
        """The clock that executions are written by."""
        return float(self.witness._query("SELECT extract(epoch FROM clock_timestamp()::timestamp)")[0][0])

    def started_after(self, moment):
        """The first execution after that moment, or None."""
        return next(iter(self.witness.executions(since=moment)), None)

    def longest_gap(self, since, until):
        """The longest time between two moments in which no job was started."""
        moments = [since] + [each.started for each in self.witness.executions(since=since)
                             if each.started <= until]
        return max(after - before for before, after in zip(moments, moments[1:]))

    def titled(self, node, role):
        return [pid for pid, title in self.nodes[node].titles().items() if ' %s ' % role in title]
