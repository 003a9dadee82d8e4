# -*- coding: utf-8 -*-
"""OpenERP's options in gunicorn's words, and the application that workers serve.

Built in the master from a booted node. gunicorn's own configuration file,
command line and GUNICORN_CMD_ARGS are not read: there is one place to
configure a node, and that is node.conf.
"""
from gunicorn.app.base import BaseApplication

from oe_cluster_launch.supervisor import hooks
from oe_cluster_launch.supervisor.log import SupervisorLog

#: by name, as gunicorn asks for it
WORKER_CLASS = 'oe_cluster_launch.supervisor.http_worker.HttpWorker'


class NodeApplication(BaseApplication):
    """gunicorn's view of one node."""

    def __init__(self, node):
        self.node = node
        super(NodeApplication, self).__init__()

    def load_config(self):
        for name, value in self._options().items():
            self.cfg.set(name, value)

    def _options(self):
        node = self.node
        config, settings = node.host.config, node.settings
        return {
            'bind': '%s:%d' % node.host.address,
            'workers': node.host.workers,
            'worker_class': WORKER_CLASS,
            'preload_app': True,
            'pidfile': config['pidfile'] or None,
            'proc_name': node.name,
            'backlog': settings.backlog,
            'graceful_timeout': int(settings.graceful_timeout),
            'timeout': int(config['limit_time_real']),
            'max_requests': int(config['limit_request']),
            'max_requests_jitter': int(config['limit_request']) // 10,
            'logger_class': SupervisorLog,
            'post_fork': hooks.post_fork,
            # who may set X-Forwarded-Proto is OpenERP's proxy_mode to decide
            'forwarded_allow_ips': '*' if config['proxy_mode'] else '127.0.0.1',
        }

    def load(self):
        return self.node.host.application
