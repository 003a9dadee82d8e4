# -*- coding: utf-8 -*-
"""conf/nginx.conf and conf/redis.conf, tried with the real programs."""
import os
import re
import subprocess

from testbed import paths, session
from testbed.nginx import BINARY
from testbed.redis_server import RedisServer

from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store
from oe_cluster_launch.store.server_checks import check_server

CONF = os.path.join(paths.CHECKOUT, 'conf')
#: what belongs to the example's machine and not to a test's
OF_THE_MACHINE = ('bind', 'port', 'dir', 'protected-mode')


def test_nginx_accepts_its_example():
    folder = session.fresh_folder('nginx-conf')
    with open(os.path.join(CONF, 'nginx.conf')) as source:
        example = source.read().replace('/var/log/nginx', folder)
    with open(os.path.join(folder, 'nginx.conf'), 'w') as target:
        target.write('pid %s/pid; events {}\nhttp { error_log stderr;\n%s\n}' % (folder, example))
    checked = subprocess.run([BINARY, '-t', '-e', 'stderr', '-p', folder, '-c',
                              os.path.join(folder, 'nginx.conf')], stderr=subprocess.PIPE, timeout=20)
    assert checked.returncode == 0, checked.stderr.decode()


def redis_example():
    """The directives of conf/redis.conf as pairs."""
    with open(os.path.join(CONF, 'redis.conf')) as source:
        lines = [line.strip() for line in source if line.strip() and not line.startswith('#')]
    return [tuple(line.split(None, 1)) for line in lines]


def test_redis_with_its_example_is_fit_for_the_user_it_names(session_folder):
    folder = session.fresh_folder('redis-conf')
    path = os.path.join(folder, 'example.conf')
    with open(path, 'w') as target:
        target.writelines('%s %s\n' % pair for pair in redis_example() if pair[0] not in OF_THE_MACHINE)

    class FromExample(RedisServer):
        def command(self):
            return [RedisServer.command(self)[0], path, '--port', '0', '--dir', folder,
                    '--unixsocket', self.socket_path]

        def is_ready(self):
            return 'NOAUTH' in self.ask('PING') or 'PONG' in self.ask('PING')
    password = [re.search(r'oe-cluster on >(\S+)', value).group(1)
                for name, value in redis_example() if name == 'user' and 'oe-cluster' in value][0]
    server = FromExample(folder).start()
    try:
        store = Store(load_settings(None, {
            'OE_CLUSTER_REDIS_URL': 'unix://' + server.socket_path,
            'OE_CLUSTER_REDIS_USERNAME': 'oe-cluster', 'OE_CLUSTER_REDIS_PASSWORD': password}))
        assert check_server(store) == []
    finally:
        server.kill_all()
