# -*- coding: utf-8 -*-
"""The process that answers HTTP requests, one at a time, as OpenERP expects."""
from gunicorn.workers.sync import SyncWorker

from oe_cluster_launch.supervisor.titles import set_title


class HttpWorker(SyncWorker):
    """gunicorn's synchronous worker under our name and title."""

    def run(self):
        """The worker's main loop; returns when it is told to stop."""
        set_title(self.app.node.name, 'http worker', 'ready')
        super(HttpWorker, self).run()
