# -*- coding: utf-8 -*-
"""nginx's file for the whole cluster, from the addresses of its nodes and one node's settings."""
import collections

from oe_cluster_launch.deployment import words
from oe_cluster_launch.deployment.node_file import EVERY_ADDRESS, NodeFile
from oe_cluster_launch.deployment.render import render
from oe_cluster_launch.health.address import status_address
from oe_cluster_launch.settings.kinds import Network

TEMPLATE = 'nginx.conf'
BALANCES = ('ip_hash', 'cookie', 'least_conn')
#: a request may first wait for a worker
QUEUE_SECONDS = 600

#: where a node is: (host, port) of its HTTP workers, and of its answerer or None
Place = collections.namedtuple('Place', 'http status')


def site(settings, nodes=(), server_name='_', tls=None, balance='ip_hash', static=(), inside=()):
    """The text of a file for conf.d, read inside `http`.

    :param nodes: a :class:`Place` for each node; none: the one of the settings' file
    :param tls: (certificate, key), paths on nginx's machine
    :param static: addons folders on nginx's machine
    :param inside: networks that may ask how the cluster is; none: status_networks
    """
    own = NodeFile(settings.path)
    nodes = nodes or [place(settings, own.address)]
    return render(
        TEMPLATE, balance=balance, server_name=words.server_name(server_name, '--server-name'),
        nodes=[words.shown(node.http) for node in nodes],
        status=[words.shown(node.status) for node in nodes if node.status],
        tls=tls and [words.path(path, '--tls') for path in tls],
        static=[words.path(path, '--static') for path in static],
        inside=[words.network(text, '--inside') for text in inside] or [
            Network().show(network) for network in settings.status_networks],
        body_bytes=settings.limit_body, read_seconds=own.time_limit_seconds + QUEUE_SECONDS)


def place(settings, http):
    """The :class:`Place` of a node whose settings are like these, but for its address."""
    status = status_address(settings, http)
    return Place(http, (http[0], status[1]) if status else None)


def member_places(settings, members):
    """Those of the nodes that a membership listing shows alive, sorted.

    A node that listens on every address is reached by its machine's name.
    """
    found = []
    for member in members:
        if member.get('state') == 'lost' or not member.get('address'):
            continue
        http = _reachable(member, member['address'])
        status = member.get('status_address')
        found.append(Place(http, _reachable(member, status)) if status else place(settings, http))
    return sorted(found)


def _reachable(member, text):
    host, port = words.address(text, 'node %s' % member['node'])
    return (member['machine'] if host in EVERY_ADDRESS else host), port
