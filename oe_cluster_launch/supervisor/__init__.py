# -*- coding: utf-8 -*-
"""One node's processes: a keeper, under it a master, under that workers and other children.

`keeper.py` keeps pid, port and systemd's attention while masters come and go;
`arbiter.py` is the master, on gunicorn's; `http_worker.py` takes connections and
`exchange.py` answers one; `limits.py` ends what takes too much; `shutdown.py`
leaves without losing a request; `child.py` is for any other process.
"""
import os


def keep(arguments, settings):
    """Run the keeper in this process; returns the exit code."""
    from oe_cluster_launch.supervisor.keeper import Keeper
    from oe_cluster_launch.supervisor.keeper_io import Resources
    return Keeper(Resources(arguments, settings, dict(os.environ))).run()


def supervise(node, handover):
    """Run the master in this process, from a booted node. Ends by SystemExit."""
    from oe_cluster_launch.supervisor.answerer import Answerer
    from oe_cluster_launch.supervisor.application import NodeApplication
    from oe_cluster_launch.supervisor.arbiter import NodeArbiter
    from oe_cluster_launch.supervisor.cron_agent import CronAgent
    from oe_cluster_launch.supervisor.watcher import Watcher
    config, settings = node.host.config, node.settings
    handover.say('booted', node_name=node.name, pidfile=config['pidfile'] or None,
                 logfile=config['logfile'] or None, log_format=settings.log_format,
                 graceful_seconds=settings.graceful_timeout + settings.drain_seconds)
    agent = CronAgent(node)
    agent.join()
    application = NodeApplication(node)
    children = [Answerer(node, application.endpoints), Watcher(node), agent]
    NodeArbiter(application, handover, children).run()
