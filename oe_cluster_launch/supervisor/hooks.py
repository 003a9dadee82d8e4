# -*- coding: utf-8 -*-
"""What runs around the fork. Each function says in which process it is called."""
import random

from oe_cluster_launch.supervisor import linux, temporary
from oe_cluster_launch.supervisor.titles import set_title


def post_fork(arbiter, worker):
    """In the worker, first thing after the fork."""
    linux.die_with_parent(worker.ppid)
    arbiter.close_status_listener()
    random.seed()  # nothing random may repeat the master's
    temporary.enter()
    set_title(worker.app.node.name, 'http worker', 'starting')
