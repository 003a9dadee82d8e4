# -*- coding: utf-8 -*-
"""A whole cluster: nodes a, b, c ... and nginx on one database and one Redis."""
import os

from .nginx import Nginx
from .node import NodeProcess, write_secret_key
from .ports import free_port


class Cluster(object):
    """`nodes`, `nginx`, `redis`, `postgres`, `database`; addressed through `url`.

    settings       of [cluster], for every node
    options        of [options], for every node
    node_settings  of [cluster] for one node: {'a': {...}}
    node           the keywords that NodeProcess takes besides (workers, environment, arguments)
    """

    def __init__(self, folder, postgres, redis, database, nodes=2, settings=None, options=None,
                 node_settings=None, ports=None, owner=None, **node):
        self.postgres, self.redis, self.database = postgres, redis, database
        self.folder = folder
        self.secret_key_file = write_secret_key(os.path.join(folder, 'secret.key'))
        ports = ports or {}
        self.nodes = []
        for index in range(nodes):
            name = 'abcdefgh'[index]
            self.nodes.append(NodeProcess(
                name, os.path.join(folder, 'node-' + name), postgres, redis.url,
                self.secret_key_file, database=database, options=options, owner=owner,
                port=ports.get(name) or free_port(),
                cluster=dict({'status_port': ports.get('status_' + name)},
                             **dict(settings or {}, **(node_settings or {}).get(name, {}))), **node))
        self.nginx = Nginx(os.path.join(folder, 'nginx'), [node.port for node in self.nodes],
                           ports.get('sticky'), ports.get('round_robin'), owner=owner)

    @property
    def url(self):
        """The front door with ip_hash."""
        return self.nginx.url

    @property
    def round_robin_url(self):
        """The front door that goes round the nodes."""
        return self.nginx.round_robin_url

    def node(self, name):
        """The node called `name`."""
        return [node for node in self.nodes if node.name == name][0]

    def start(self):
        """Start nginx and all nodes (they boot at the same time); wait until all serve."""
        for node in self.nodes:
            node.start(wait=False)
        self.nginx.start()
        for node in self.nodes:
            node.wait_until_serving()
        return self

    def stop(self):
        """Stop all in order: nginx, then the nodes."""
        self.nginx.stop()
        for node in self.nodes:
            node.stop()

    def kill_all(self):
        """Kill all."""
        for service in [self.nginx] + self.nodes:
            service.kill_all()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.kill_all()
