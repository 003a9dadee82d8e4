# -*- coding: utf-8 -*-
"""docs/guide.md, done as it is written: from a stock server to a cluster of three machines, and back.

The machines are loopback addresses with a folder each; their paths, addresses and ports are put in
the place of the guide's. Commands of apt, systemd, ssh, rsync and NFS are done in a way of our own,
everything else is run by a shell as it stands. A line of output in the guide must have the words of
a line that is printed.
"""
import os
import re
import shutil
import socket
import subprocess
import time

import pytest
from testbed import account, paths, session
from testbed.clients import WebClient
from testbed.node import StockServer
from testbed.ports import free_port
from testbed.postgres import database_name
from testbed.service import Service
from testbed.site import FRAME
from testbed.waiting import wait_until

GUIDE = os.path.join(paths.CHECKOUT, 'docs', 'guide.md')
ADDRESSES = {'erp1': '127.0.0.2', 'erp2': '127.0.0.3', 'erp3': '127.0.0.4'}
PROMPT = re.compile(r'^(erp\d)# (.*?)(?:  # exit code (\d+))?$')
PATIENCE_SECONDS = 40
#: what we cannot do here, or have done in another way
NOT_OURS = re.compile(
    r'^(apt|adduser|ssh|mkdir|ln|install|sudo -u postgres|grep|chown|chmod 640|/opt/\S+/pip|nginx -t|'
    r'systemctl (reload postgresql|daemon-reload)|rsync -a /opt|echo "host all)')


class Command(object):
    """One command of the guide: on which machine, its words, what is shown, its exit code."""

    def __init__(self, section, machine, text, code):
        self.section, self.machine, self.text, self.code = section, machine, text, int(code or 0)
        self.shown = []

    def __repr__(self):
        return '%s# %s' % (self.machine, self.text)


def read_guide():
    """(commands, the text of node.conf) of the guide."""
    with open(GUIDE, encoding='utf-8') as source:
        text = source.read()
    found = []
    for part in re.split(r'(?m)^## ', text)[1:]:
        number = re.match(r'\d+', part)
        for block in re.findall(r'(?ms)^```console\n(.*?)^```', part):
            for line in block.splitlines():
                typed = PROMPT.match(line)
                if typed:
                    found.append(Command(int(number.group()), *typed.groups()))
                elif line.strip() not in ('', '...'):
                    found[-1].shown.append(line)
    return found, re.search(r'(?ms)^```ini\n(.*?)^```', text).group(1)


class Daemon(Service):
    """A server that the guide has configured."""

    ready_timeout_seconds = 90

    def __init__(self, name, folder, command, place):
        super().__init__(name, folder)
        self._command, self._place = command, place

    def command(self):
        return self._command

    def is_ready(self):
        try:
            socket.create_connection(self._place, 1).close()
            return True
        except OSError:
            return False


class Node(Daemon):
    """Ready as the unit is: when its workers answer."""

    def is_ready(self):
        return subprocess.run(['curl', '-fsS', '-m', '2', 'http://%s:%d/_cluster/ready' % self._place],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


class Machines(object):
    """The three machines, and what the guide's paths, addresses and ports are there."""

    def __init__(self, folder, postgres, certificates):
        self.folder, self.postgres = folder, postgres
        self.database = postgres.create_database(database_name('guide'), 'tpl_base')
        port = free_port()
        while port + 1000 > 32000:
            port = free_port()
        self.port, self.redis_port, self.http, self.https = port, free_port(), free_port(), free_port()
        self.certificates = certificates
        self.services = {}
        for machine in ADDRESSES:
            for part in ('etc/oe-cluster', 'run/oe-cluster', 'var/log/oe-cluster', 'var/lib/redis',
                         'etc/systemd/system', 'etc/nginx/conf.d', 'etc/redis'):
                account.folder(os.path.join(folder, machine, part))

    def path(self, machine, *parts):
        return os.path.join(self.folder, machine, *parts)

    def translated(self, machine, text):
        """The guide's text as it is true on one of our machines."""
        # what our own paths are put into is not looked at again: they may begin with any of these
        text = re.sub(r'(?<![\w/])/(etc|run|var)/(?!ssl/)', self.path(machine) + r'/\1/', text)
        pairs = [(r'/etc/ssl/private/erp.example.com.key', self.certificates.server_key),
                 (r'/etc/ssl/erp.example.com.pem', self.certificates.server_certificate),
                 (r'/tmp/oe-sessions-openerp', self.path('erp1', 'oe-sessions-' + account.current().pw_name)),
                 (r'https://erp.example.com', 'https://localhost:%d' % self.https),
                 (r'\b6379\b', str(self.redis_port)), (r'\b9069\b', str(self.port + 1000)),
                 (r'\b8069\b', str(self.port)), (r'10\.0\.0\.1(\d)', self._address),
                 (r'(?m)^(user|db_user) = openerp', lambda m: m.group().replace(
                     'openerp', account.current().pw_name if m.group(1) == 'user' else self.postgres.role)),
                 (r'^redis-cli ', 'redis-cli -p %d ' % self.redis_port),
                 (r'\bcompany\b', self.database),
                 (r'^curl ', 'curl --noproxy "*" --cacert %s ' % self.certificates.authority)]
        for pattern, replacement in pairs:
            text = re.sub(pattern, replacement, text)
        return text

    @staticmethod
    def _address(match):
        return ADDRESSES['erp' + match.group(1)]

    def write_node_conf(self, text):
        text = self.translated('erp1', text)
        text = re.sub(r'(?m)^db_host = .*', 'db_host = ' + self.postgres.host, text)
        text = re.sub(r'(?m)^db_port = .*', 'db_port = %d' % self.postgres.port, text)
        text = re.sub(r'(?m)^(db_password|addons_path) = .*\n', '', text)
        text = text.replace('workers = 8', 'workers = 2')
        path = self.path('erp1', 'etc/oe-cluster/node.conf')
        with open(path, 'w') as stream:
            stream.write(text)
        os.chmod(path, 0o640)
        account.give(path)

    def run(self, command):
        """Do one command; what it printed, None if it was not run. Asserts its exit code."""
        text = self.translated(command.machine, command.text)
        ours = [done for pattern, done in self.OURS if re.match(pattern, command.text)]
        if ours:
            return ours[0](self, command.machine, command.text)
        if NOT_OURS.match(command.text):
            return None
        environment = dict(os.environ, PATH='%s:%s' % (paths.state('py27', 'bin'), os.environ['PATH']),
                           SSL_CERT_FILE=self.certificates.authority)
        done = subprocess.run(
            ['bash', '-c', text], cwd=paths.CHECKOUT, env=environment, timeout=120,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        assert done.returncode == command.code, (command, done.stdout)
        assert_shown(command, done.stdout)
        return done.stdout

    def run_patiently(self, command):
        """A node that has just started is in the list a moment later, and leads another moment later."""
        until = time.time() + PATIENCE_SECONDS
        while True:
            try:
                return self.run(command)
            except AssertionError:
                if not command.text.startswith('oe-cluster-launch list') or time.time() > until:
                    raise
                time.sleep(0.5)

    def install_redis(self, _machine, _text):
        shutil.copy(os.path.join(paths.CHECKOUT, 'conf', 'redis.conf'), self.path('erp1', 'etc/redis'))

    def start_redis(self, _machine, _text):
        path = self.path('erp1', 'etc/redis/redis.conf')
        with open(path) as source:
            text = source.read()
        text = text.replace('port 6379', 'port %d' % self.redis_port).replace(
            'dir /var/lib/redis', 'dir ' + self.path('erp1', 'var/lib/redis')).replace(
            '10.0.0.11', ADDRESSES['erp1'])
        with open(path, 'w') as stream:
            stream.write(text)
        account.give(path)
        self._start('redis', Daemon('redis', self.path('erp1', 'redis'), ['/usr/bin/redis-server', path],
                                    (ADDRESSES['erp1'], self.redis_port)))

    def copy_configuration(self, _machine, text):
        other = re.search(r'(erp\d):', text).group(1)
        for name in os.listdir(self.path('erp1', 'etc/oe-cluster')):
            target = shutil.copy2(self.path('erp1', 'etc/oe-cluster', name),
                                  self.path(other, 'etc/oe-cluster'))
            with open(target) as source:
                content = source.read().replace(self.path('erp1'), self.path(other))
            with open(target, 'w') as stream:
                stream.write(content)
            account.give(target)

    def systemctl(self, machine, text):
        verb, unit = re.match(r'systemctl (\w+) (?:--now )?([\w-]+)', text).groups()
        if unit == 'openerp-server':
            return self._stop_or_start(verb, unit, self.old_server)
        if unit == 'nginx':
            return self._start('nginx', Daemon('nginx', self.path(machine), self.nginx(), (
                'localhost', self.https)))
        conf = self.path(machine, 'etc/oe-cluster/node.conf')
        return self._stop_or_start(verb, machine, lambda: Node(
            machine, self.path(machine), [paths.python27('oe-cluster-launch'), '-c', conf],
            (ADDRESSES[machine], self.port + 1000)))

    def old_server(self):
        server = StockServer('openerp-server', self.path('erp1'), self.postgres, database=self.database,
                             port=self.port, options={'xmlrpc_interface': ADDRESSES['erp1']})
        server.address = ADDRESSES['erp1']
        return server

    def nginx(self):
        """nginx's command line, after the guide's file was given this machine's ports."""
        site, folder = self.path('erp1', 'etc/nginx/conf.d/oe-cluster.conf'), self.path('erp1')
        with open(site) as source:
            text = source.read()
        text = text.replace('listen 80;', 'listen 127.0.0.1:%d;' % self.http).replace(
            'listen 443 ssl;', 'listen 127.0.0.1:%d ssl;' % self.https).replace(
            '/var/log/nginx', folder).replace('/var/cache', folder)
        with open(site, 'w') as stream:
            stream.write(text)
        with open(os.path.join(folder, 'nginx.conf'), 'w') as stream:
            stream.write(FRAME.replace('site.conf', site) % {'folder': folder})
        return ['/usr/sbin/nginx', '-e', 'stderr', '-p', folder, '-c', os.path.join(folder, 'nginx.conf')]

    def _stop_or_start(self, verb, name, make):
        if verb in ('disable', 'stop'):
            if name in self.services:
                self.services.pop(name).stop(60)
        else:
            self._start(name, make())

    def _start(self, name, service):
        self.services[name] = service.start()

    def kill(self):
        for service in self.services.values():
            service.kill_all()

    #: commands that we do in a way of our own
    OURS = [(r'install .*redis\.conf', install_redis), (r'systemctl restart redis', start_redis),
            (r'rsync -a /etc/oe-cluster', copy_configuration),
            (r'systemctl \w+ (--now )?(oe-cluster@|openerp-server|nginx)', systemctl)]


@pytest.fixture(scope='module')
def guide():
    return read_guide()


@pytest.fixture
def machines(session_folder, postgres, certificates):
    made = Machines(session.fresh_folder('guide'), postgres, certificates)
    yield made
    made.kill()


def words(text):
    return set(re.findall(r'\berp\d\b|[a-z]{3,}', text.lower()))


def assert_shown(command, printed):
    """Each line that the guide shows has the words of some line that was printed."""
    lines = [words(line) for line in printed.splitlines()]
    for shown in command.shown:
        expected = words(shown) - {'erp', 'company', 'openerp', 'etc', 'secret', 'tmp', 'key'}
        assert any(expected <= line for line in lines), (command, shown, printed)


def test_a_stock_server_becomes_a_cluster_of_three_machines_and_again_a_stock_server(guide, machines):
    commands, node_conf = guide
    machines.systemctl('erp1', 'systemctl enable --now openerp-server')
    before = WebClient('http://%s:%d' % (ADDRESSES['erp1'], machines.port), machines.database)
    uid = before.log_in()
    client, ran = None, 0
    for command in commands:
        if command.section == 4 and not os.path.exists(machines.path('erp1', 'etc/oe-cluster/node.conf')):
            machines.write_node_conf(node_conf)
        if command.section == 8 and client is None:  # the browser that was logged in, at nginx now
            client = WebClient('https://localhost:%d' % machines.https, machines.database)
            client.http.trust_env, client.http.verify = False, machines.certificates.authority
            client.http.cookies.set('sid', before.http.cookies.get('sid'))
            client.session_id = before.session_id
            assert client.info()['uid'] == uid
        printed = machines.run_patiently(command)
        ran += printed is not None
        if os.environ.get('GUIDE_SHOW'):
            print('%r\n%s' % (command, printed or ''))
        if command.section == 8:
            assert client.info()['uid'] == uid
    assert ran >= 15
    wait_until(lambda: machines.services['openerp-server'].is_ready(), 30, "the old server serves")
    assert before.info()['uid'] == uid  # its session files are as they were
