# -*- coding: utf-8 -*-
"""A private nginx before the nodes: one port with ip_hash, one port round robin."""
import os
import string

from . import ports
from .problem import Problem
from .service import Service

BINARY = '/usr/sbin/nginx'
TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'nginx.conf.template')


class Nginx(Service):
    """One nginx for `node_ports`. Every answer names its node in the header X-Node."""

    def __init__(self, folder, node_ports, port=None, round_robin_port=None,
                 server_options='max_fails=1 fail_timeout=2s', name='nginx', owner=None):
        super(Nginx, self).__init__(name, folder, owner=owner)
        self.node_ports = list(node_ports)
        self.port = port or ports.free_port()
        self.round_robin_port = round_robin_port or ports.free_port()
        self.server_options = server_options

    @property
    def url(self):
        """The front door with ip_hash."""
        return 'http://127.0.0.1:%d' % self.port

    @property
    def round_robin_url(self):
        """The front door that goes round the nodes."""
        return 'http://127.0.0.1:%d' % self.round_robin_port

    def configure(self):
        servers = '\n        '.join('server 127.0.0.1:%d %s;' % (port, self.server_options)
                                    for port in self.node_ports)
        with open(TEMPLATE) as stream:
            text = string.Template(stream.read()).safe_substitute(
                folder=self.folder, servers=servers, port=self.port,
                round_robin_port=self.round_robin_port)
        with open(os.path.join(self.folder, 'nginx.conf'), 'w') as stream:
            stream.write(text)

    def command(self):
        if not os.path.exists(BINARY):
            raise Problem("nginx is not installed: run `make install`.")
        return [BINARY, '-e', 'stderr', '-p', self.folder,
                '-c', os.path.join(self.folder, 'nginx.conf')]

    def is_ready(self):
        return not ports.is_free(self.port) and not ports.is_free(self.round_robin_port)
