# -*- coding: utf-8 -*-
"""`oe-cluster-launch systemd`: the unit files of this machine, fit for this node's settings."""
import os
import sys

from oe_cluster_launch.deployment import systemd
from oe_cluster_launch.errors import EXIT_OK, UsageError

NAME = 'systemd'
HELP = "print systemd's unit for this node: ready to install"


def add_arguments(parser):
    parser.add_argument('kind', nargs='?', choices=sorted(systemd.FILES), default='service',
                        help="service (default), the optional socket, or the target of all nodes")
    parser.add_argument('-o', '--output', metavar='FOLDER',
                        help="write service and target into this folder, such as /etc/systemd/system; "
                             "a socket only when asked for")


def run(arguments, settings):
    if not arguments.output:
        sys.stdout.write(systemd.unit(arguments.kind, settings, launcher()))
        return EXIT_OK
    for kind in sorted({'service', 'target', arguments.kind}):
        path = os.path.join(arguments.output, systemd.FILES[kind])
        try:
            with open(path, 'w') as target:
                target.write(systemd.unit(kind, settings, launcher()))
        except IOError as error:
            raise UsageError("%s cannot be written: %s" % (path, error.strerror))
        sys.stdout.write("%s\n" % path)
    sys.stdout.write("Now: systemctl daemon-reload\n")
    return EXIT_OK


def launcher():
    """Our own program, beside the interpreter that runs it."""
    return os.path.join(os.path.dirname(os.path.abspath(sys.executable)), 'oe-cluster-launch')
