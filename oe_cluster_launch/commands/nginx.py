# -*- coding: utf-8 -*-
"""`oe-cluster-launch nginx`: a site for nginx before the nodes, ready to install."""
import sys

from oe_cluster_launch.cluster.membership import members
from oe_cluster_launch.deployment import nginx, words
from oe_cluster_launch.errors import EXIT_OK, UsageError
from oe_cluster_launch.store import Store

NAME = 'nginx'
HELP = "print nginx's file for the cluster: ready for conf.d"


def add_arguments(parser):
    parser.add_argument('--node', metavar='HOST:PORT', action='append', default=[],
                        help="a node, for each; default: the one of -c")
    parser.add_argument('--members', action='store_true', help="the nodes that run now, as `list` shows them")
    parser.add_argument('--server-name', metavar='NAME', default='_', help="such as erp.example.com")
    parser.add_argument('--tls', nargs=2, metavar=('CERTIFICATE', 'KEY'),
                        help="listen on 443, and redirect 80")
    parser.add_argument('--balance', choices=nginx.BALANCES, default='ip_hash')
    parser.add_argument('--static', metavar='FOLDER', action='append', default=[],
                        help="an addons folder on nginx's machine, for each; default: nginx asks the nodes, "
                             "and keeps the answers")
    parser.add_argument('--inside', metavar='NETWORK', action='append', default=[],
                        help="who may see /_cluster/, for each; default: status_networks")


def run(arguments, settings):
    sys.stdout.write(nginx.site(
        settings, _nodes(arguments, settings), arguments.server_name, arguments.tls, arguments.balance,
        arguments.static, arguments.inside))
    return EXIT_OK


def _nodes(arguments, settings):
    if not arguments.members:
        return [nginx.place(settings, words.address(text, '--node')) for text in arguments.node]
    if arguments.node:
        raise UsageError("--members and --node: give one of them")
    found = nginx.member_places(settings, members(Store(settings)))
    if not found:
        raise UsageError("--members: no node runs now. Start one, or give --node HOST:PORT for each")
    return found
