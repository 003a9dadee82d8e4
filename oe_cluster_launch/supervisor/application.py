# -*- coding: utf-8 -*-
"""OpenERP's options in gunicorn's words, and the application that workers serve.

Built in the master from a booted node. gunicorn's own configuration file,
command line and GUNICORN_CMD_ARGS are not read: there is one place to
configure a node, and that is node.conf.
"""
from gunicorn.app.base import BaseApplication

from oe_cluster_launch.health.endpoints import Endpoints
from oe_cluster_launch.supervisor import figures, hooks
from oe_cluster_launch.supervisor.board import Board
from oe_cluster_launch.supervisor.health import NodeHealth
from oe_cluster_launch.supervisor.log import SupervisorLog
from oe_cluster_launch.supervisor.statsd import StatsdLog
from oe_cluster_launch.supervisor.status_routes import StatusRoutes

#: by name, as gunicorn asks for it
WORKER_CLASS = 'oe_cluster_launch.supervisor.http_worker.HttpWorker'
#: longest request line and header line; gunicorn's own bound is 8190
LONGEST_LINE_BYTES = 8190


class NodeApplication(BaseApplication):
    """gunicorn's view of one node.

    :ivar board: shared by the master and all it forks
    :ivar endpoints: what is answered before OpenERP sees it, on either port
    """

    def __init__(self, node):
        self.node = node
        self.board = Board()
        self.endpoints = Endpoints(node.settings.status_networks, node.settings.trusted_proxies)
        NodeHealth(node, self.board).add_to(self.endpoints)
        StatusRoutes(node).add_to(self.endpoints)
        figures.add_to(self.endpoints)
        super(NodeApplication, self).__init__()

    def load_config(self):
        for name, value in self._options().items():
            self.cfg.set(name, value)

    def _options(self):
        node = self.node
        config, settings = node.host.config, node.settings
        return {
            'workers': node.host.workers,
            'worker_class': WORKER_CLASS,
            'preload_app': True,
            'proc_name': node.name,
            'backlog': settings.backlog,
            # 0 turns gunicorn's own watchdog off; ours is in arbiter.py
            'timeout': 0,
            'max_requests': int(config['limit_request']),
            'max_requests_jitter': int(config['limit_request']) // 10,
            'limit_request_line': LONGEST_LINE_BYTES,
            'limit_request_field_size': LONGEST_LINE_BYTES,
            'limit_request_fields': settings.limit_headers,
            'logger_class': StatsdLog if settings.statsd_host else SupervisorLog,
            'statsd_host': '%s:%d' % settings.statsd_host if settings.statsd_host else None,
            'statsd_prefix': settings.statsd_prefix or '',
            'post_fork': hooks.post_fork,
            # forwarded.py decides what a proxy may say
            'forwarded_allow_ips': '*',
            'secure_scheme_headers': {},
        }

    def load(self):
        return self.node.host.application


class PlainConfig(object):
    """gunicorn's configuration as plain attributes: it looks each of them up itself, a dozen per request."""

    def __init__(self, cfg):
        self._cfg = cfg
        for name in list(cfg.settings) + ['is_ssl']:
            setattr(self, name, getattr(cfg, name))

    def __getattr__(self, name):
        return getattr(self._cfg, name)
