# -*- coding: utf-8 -*-
"""Process titles: which node, which role, which state, as `ps` shows them."""
from setproctitle import setproctitle


def set_title(node_name, role, state):
    """Name this process.

    `role` is keeper, master, http worker, answerer, watcher, cron agent or cron worker.
    """
    setproctitle('oe-cluster-launch: %s %s [%s]' % (node_name, role, state))
