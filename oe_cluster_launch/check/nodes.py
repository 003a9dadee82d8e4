# -*- coding: utf-8 -*-
"""This node against the others: name, versions, addons, PostgreSQL, databases.

What this node is, is computed anew from its disk; what the others are, each
has told in its record when it started.
"""
import socket

from oe_cluster_launch import __version__
from oe_cluster_launch.check.result import fail, ok, warn
from oe_cluster_launch.cluster import mismatch
from oe_cluster_launch.cluster.listing import duration


def name(context):
    """No other machine has a node of this name."""
    mine = context.node_name
    for member in context.members():
        if (member['node'] == mine and member['state'] != 'lost'
                and member.get('machine') != socket.gethostname()):
            return fail(mismatch.NAMESAKE.split(';')[0] % (mine, member['machine']),
                        "Set another node_name in [cluster]", 'node_name', mine)
    return ok("%s is this node's alone" % mine)


def alive(context):
    """Every node that was there lately still is."""
    lost = [member for member in context.members() if member['state'] == 'lost']
    if lost:
        return warn("not heard of: %s" % ', '.join(
            "%s for %s" % (member['node'], duration(member['last_seen_seconds'])) for member in lost),
            "See its log, or ignore this if it was taken out of service on purpose")
    names = [member['node'] for member in context.members()]
    return ok("running: %s" % ', '.join(names) if names else "none is running yet")


def openerp(context):
    """All run one version of OpenERP."""
    judge = warn if context.settings.join_mismatch == 'warn' else fail
    return _compare(context, 'host_version', context.host.version, judge, "runs OpenERP %s",
                    "Use one version on all nodes (join_mismatch = warn lets a node in nevertheless)")


def launcher(context):
    """All run one version of oe-cluster-launch."""
    return _compare(context, 'version', __version__, warn, "runs oe-cluster-launch %s",
                    "Finish the rolling upgrade: install one version on all nodes")


def addons(context):
    """All have the same addons, and this node runs the ones it has on its disk."""
    from oe_cluster_launch.seams.openerp7 import profile
    mine = profile.addons_fingerprint(context.host.config['addons_path'].split(','))
    running = context.running_here()
    if running and running.get('addons') not in (None, mine):
        return [warn("the running node has loaded addons %s, on its disk are %s" % (running['addons'], mine),
                     "Reload the node: systemctl reload, or SIGHUP"),
                _compare_addons(context, mine)]
    return _compare_addons(context, mine)


def _compare_addons(context, mine):
    return _compare(context, 'addons', mine, warn, "has addons %s",
                    "Copy the same addons to every node and reload each; until then answers depend on "
                    "the node")


def postgresql(context):
    """All use one PostgreSQL."""
    from oe_cluster_launch.seams.openerp7 import profile
    host = context.host
    mine = profile.postgres_identity(host.config, host.databases())
    judge = warn if context.settings.join_mismatch == 'warn' else fail
    return _compare(context, 'postgres', mine, judge, "uses the PostgreSQL with identifier %s",
                    "Mend db_host and db_port, or set another redis_prefix for another cluster")


def databases(context):
    """All serve the same databases."""
    return _compare(context, 'databases', context.host.databases() or ['*'], warn, "serves %s",
                    "Set db_name alike on all nodes, unless each is meant to serve its own",
                    show=', '.join)


def _compare(context, field, mine, judge, has, remedy, show=str):
    others = [member for member in context.others() if member.get(field)]
    if not others:
        return ok("%s; no other node runs to compare with" % show(mine or '?'))
    unlike = [member for member in others if mine and _comparable(member[field]) != _comparable(mine)]
    if not unlike:
        return ok("%s, as on %s" % (show(mine or '?'), ', '.join(member['node'] for member in others)))
    found = "; ".join("%s %s" % (member['node'], has % show(member[field])) for member in unlike)
    return judge("%s, and this node: %s" % (found, show(mine)), remedy)


def _comparable(value):
    return sorted(value) if isinstance(value, (list, tuple)) else value
