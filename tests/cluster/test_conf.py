# -*- coding: utf-8 -*-
"""conf/redis.conf, tried with the real server: over TLS, by real nodes, as the user it names."""
import os
import re
import subprocess

import pytest
from testbed import paths, session
from testbed.clients import WebClient
from testbed.cluster import Cluster
from testbed.redis_server import RedisServer
from testbed.waiting import wait_until

from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store
from oe_cluster_launch.store.server_checks import check_server

EXAMPLE = os.path.join(paths.CHECKOUT, 'conf', 'redis.conf')
#: what belongs to the example's machine and not to a test's
OF_THE_MACHINE = ('bind', 'port', 'dir', 'protected-mode', 'tls-port', 'tls-cert-file', 'tls-key-file',
                  'tls-ca-cert-file')
#: who looks at what the server has refused
WITNESS = 'user witness on nopass ~* &* +@all'


def directives():
    """The directives of the example as pairs, those of TLS as if their # were taken away."""
    with open(EXAMPLE) as source:
        lines = [re.sub('^#(?=tls-)', '', line.strip()) for line in source]
    return [tuple(line.split(None, 1)) for line in lines if line and not line.startswith('#')]


def password():
    return [re.search(r'oe-cluster on >(\S+)', value).group(1)
            for name, value in directives() if name == 'user' and 'oe-cluster' in value][0]


class FromExample(RedisServer):
    """The example's server, with a folder, a port and certificates of the test's."""

    def configure(self):
        super(FromExample, self).configure()
        with open(os.path.join(self.folder, 'redis.conf')) as stream:
            ours = [line for line in stream
                    if line.split()[0] in OF_THE_MACHINE + ('unixsocket', 'unixsocketperm')]
        theirs = ['%s %s\n' % pair for pair in directives() if pair[0] not in OF_THE_MACHINE]
        with open(os.path.join(self.folder, 'redis.conf'), 'w') as stream:
            stream.writelines(ours + theirs + [WITNESS + '\n'])

    def is_ready(self):
        return self.as_witness('PING') == 'PONG'

    def as_witness(self, *words):
        return self.ask(*words, user='witness', password='any')

    @property
    def url(self):
        return 'rediss://localhost:%d/0' % self.port  # Python 2.7 knows certificates by name only


@pytest.fixture(scope='module')
def example(certificates):
    server = FromExample(session.fresh_folder('redis-conf'), certificates=certificates).start()
    yield server
    server.kill_all()


@pytest.fixture(scope='module')
def settings(example, certificates):
    """What the nodes' [cluster] says about this Redis."""
    return {'redis_username': 'oe-cluster', 'redis_password': password(),
            'redis_tls_ca_file': certificates.authority, 'redis_faults': 'refuse'}


@pytest.fixture(scope='module')
def store(example, settings):
    return Store(load_settings(None, dict(
        {'OE_CLUSTER_%s' % name.upper(): value for name, value in settings.items()},
        OE_CLUSTER_REDIS_URL=example.url)))


def test_redis_with_its_example_is_fit_for_the_user_it_names(store):
    assert check_server(store) == []


def test_the_doctors_own_trial_of_all_commands_is_refused_none(store):
    assert store.run('rights_probe', [store.keys.cluster_lock('one'), store.keys.cluster_lock('two')]) == []


@pytest.mark.parametrize('words', [
    ('FLUSHALL',), ('KEYS', '*'), ('CONFIG', 'GET', '*'), ('ACL', 'LIST'), ('SHUTDOWN',), ('MONITOR',),
    ('GET', 'other:key'), ('SET', 'oe', '1'), ('PUBLISH', 'other', 'x'),
    ('EVAL', "return redis.call('GET', 'other:key')", 0),
    ('EVAL', "return redis.call('FLUSHALL')", 0), ('FUNCTION', 'LIST')])
def test_the_user_may_not(example, words):
    assert re.search("NOPERM|can't run this command|can't access", example.ask(
        *words, user='oe-cluster', password=password()))


def test_nodes_and_commands_need_nothing_that_the_user_may_not(example, settings, postgres):
    """Two nodes over TLS do their work, every command is run, and the server has refused nothing."""
    database = postgres.create_database('test_redis_acl', 'tpl_base')
    example.as_witness('ACL', 'LOG', 'RESET')
    with Cluster(session.fresh_folder('cluster'), postgres, example, database, settings=settings) as started:
        started.start()
        client = WebClient(started.round_robin_url, database)
        assert client.log_in()
        assert all(client.info()['uid'] == client.uid for _ in range(8))
        conf = started.nodes[0].configuration_path
        wait_until(lambda: leader(example), 30, "somebody leads cron, and both have joined")
        for words in (['list'], ['history'], ['pause'], ['resume'], ['sessions', 'list'],
                      ['sessions', 'revoke', '--login', 'admin'], ['cache', 'stats'], ['cache', 'flush'],
                      ['nginx', '--members']):
            run(words, conf)
        wait_until(lambda: leader(example), 30, "somebody leads cron")
        other = {'a': 'b', 'b': 'a'}[leader(example)]
        run(['switchover', '--to', other], conf)
        wait_until(lambda: leader(example) == other, 60, "the other node leads")
        started.nodes[0].hang_up()
        started.nodes[0].wait_until_serving()
        started.stop()
    assert example.as_witness('ACL', 'LOG') == ''


def leader(example):
    return example.as_witness('GET', 'oe:lease:cron').split(' ')[-1]


def run(words, conf):
    """One command on Python 2.7; its words when it fails."""
    done = subprocess.run([paths.python27('oe-cluster-launch')] + words + ['-c', conf], timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    assert done.returncode == 0, (words, done.stdout)
