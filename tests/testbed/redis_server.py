# -*- coding: utf-8 -*-
"""A private Redis: a Unix socket, a port when asked, and any configuration a test wants."""
import os
import shutil
import signal
import subprocess

from . import account
from .ports import free_port
from .problem import Problem
from .service import Service

BINARY = '/usr/bin/redis-server'
COMMAND_LINE = '/usr/bin/redis-cli'


class RedisServer(Service):
    """One server.

    tcp           also listens on a loopback port (TLS always does)
    password      what clients must give (requirepass)
    acl           lines of an ACL file, such as 'user node on >secret ~oe:* +@all'
    certificates  a Certificates object: TLS alone on the port
    settings      further lines of redis.conf, as a dictionary; a list repeats the key
    persistent    keeps an append-only file, so that restart() keeps the data
    """

    orphan_signal = signal.SIGKILL

    def __init__(self, folder, tcp=False, password=None, acl=None, certificates=None,
                 settings=None, persistent=False, name='redis', owner=None):
        super(RedisServer, self).__init__(name, folder, owner=owner)
        self.socket_path = os.path.join(self.folder, 'redis.sock')
        self.port = free_port() if tcp or certificates else 0
        self.password = password
        self.acl = acl
        self.certificates = certificates
        self.persistent = persistent
        self.settings = dict(settings or {})

    @property
    def url(self):
        """The address for clients of this machine: TLS, else the port, else the socket."""
        login = ':%s@' % self.password if self.password else ''
        if self.certificates:
            return 'rediss://%s127.0.0.1:%d/0' % (login, self.port)
        if self.port:
            return 'redis://%s127.0.0.1:%d/0' % (login, self.port)
        return 'unix://%s%s?db=0' % (login, self.socket_path)

    @property
    def socket_url(self):
        """The address of the Unix socket."""
        return 'unix://%s%s?db=0' % (':%s@' % self.password if self.password else '',
                                     self.socket_path)

    def configure(self):
        lines = {
            'bind': '127.0.0.1', 'port': 0 if self.certificates else self.port,
            'unixsocket': self.socket_path, 'unixsocketperm': '700', 'dir': self.folder,
            'save': '""', 'appendonly': 'yes' if self.persistent else 'no',
            'appendfsync': 'always' if self.persistent else 'no', 'databases': 16,
        }
        if self.password:
            lines['requirepass'] = self.password
        if self.acl:
            lines['aclfile'] = self._write('users.acl', '\n'.join(self.acl) + '\n')
        if self.certificates:
            lines.update({'tls-port': self.port, 'tls-auth-clients': 'no',
                          'tls-cert-file': self.certificates.server_certificate,
                          'tls-key-file': self.certificates.server_key,
                          'tls-ca-cert-file': self.certificates.authority})
        lines.update(self.settings)
        self._write('redis.conf', ''.join(
            '%s %s\n' % (key, value) for key in sorted(lines)
            for value in (lines[key] if isinstance(lines[key], list) else [lines[key]])))

    def _write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w') as stream:
            stream.write(text)
        return account.give(path)

    def command(self):
        if not os.path.exists(BINARY):
            raise Problem("redis-server is not installed: run `make install`.")
        return [BINARY, os.path.join(self.folder, 'redis.conf')]

    def is_ready(self):
        return self.ask('PING') in ('PONG', 'NOAUTH Authentication required.')

    def ask(self, *words, **options):
        """What redis-cli prints for one command, without connecting through a client library.

        `user` and `password` as keywords where ACLs are in the way.
        """
        command = [COMMAND_LINE, '-s', self.socket_path, '--raw']
        password = options.get('password', self.password)
        if password:
            command += ['--no-auth-warning', '-a', password]
        if options.get('user'):
            command += ['--user', options['user']]
        process = subprocess.Popen(command + [str(word) for word in words],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return process.communicate()[0].decode('utf-8', 'replace').strip()

    def lose_data(self):
        """Kill it and delete what it kept: start() then begins empty."""
        self.kill_all()
        for name in ('appendonlydir', 'dump.rdb'):
            path = os.path.join(self.folder, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.unlink(path)
