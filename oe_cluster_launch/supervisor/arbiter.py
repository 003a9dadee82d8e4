# -*- coding: utf-8 -*-
"""The master: gunicorn's arbiter with our titles and exit codes."""
from gunicorn.arbiter import Arbiter

from oe_cluster_launch.errors import EXIT_SOFTWARE
from oe_cluster_launch.supervisor.titles import set_title


class NodeArbiter(Arbiter):
    """gunicorn's master for one node."""

    #: all exit codes are those of errors.py, so that a unit file can name them
    WORKER_BOOT_ERROR = EXIT_SOFTWARE
    APP_LOAD_ERROR = EXIT_SOFTWARE

    def manage_workers(self):
        """Called about once a second in the master."""
        super(NodeArbiter, self).manage_workers()
        set_title(self.app.node.name, 'master', 'ready')
