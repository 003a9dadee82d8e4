# -*- coding: utf-8 -*-
"""One node's processes: gunicorn's arbiter, with what OpenERP needs added.

`application.py` translates OpenERP's options into gunicorn's, `arbiter.py`
adds to gunicorn's master, `http_worker.py` to its worker, `hooks.py` is what
runs around the fork. HTTP parsing, reaping and TTIN/TTOU are gunicorn's.
"""


def supervise(node):
    """Serve until told to stop. Does not return: the master exits with its own code."""
    from oe_cluster_launch.supervisor.application import NodeApplication
    from oe_cluster_launch.supervisor.arbiter import NodeArbiter
    NodeArbiter(NodeApplication(node)).run()
