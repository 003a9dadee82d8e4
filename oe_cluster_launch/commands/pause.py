# -*- coding: utf-8 -*-
"""`oe-cluster-launch pause`: no scheduled job starts on any node, until `resume`."""
import getpass
import os
import sys
import time

from oe_cluster_launch.cluster.membership import members
from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron.control import Control
from oe_cluster_launch.errors import EXIT_FAILURE, EXIT_OK
from oe_cluster_launch.store import Store

NAME = 'pause'
HELP = "stop cron on all nodes, for maintenance"


def add_arguments(parser):
    parser.add_argument('--reason', default='', help="shown by `list`")
    parser.add_argument('--for', dest='minutes', type=float, metavar='MINUTES',
                        help="resume by itself after that long; default: never")
    parser.add_argument('--wait', type=float, default=30.0, metavar='SECONDS',
                        help="how long to wait for running jobs to finish (30)")


def run(arguments, settings):
    """Exit code 0 when cron is quiet, 1 when jobs are still running after --wait."""
    store = Store(settings)
    control = Control(store)
    control.pause(who(), arguments.reason, arguments.minutes and arguments.minutes * 60)
    until = monotonic() + arguments.wait
    while True:
        leader, _ = control.leader()
        busy = [member['node'] for member in members(store) if member.get('jobs_running')]
        if not leader and not busy:
            sys.stdout.write("Cron is paused on all nodes and no job is running.\n")
            return EXIT_OK
        if monotonic() > until:
            break
        time.sleep(0.2)
    sys.stdout.write("Cron is paused: no job starts any more. Not finished yet: %s.\n"
                     % (', '.join(busy) or "%s still holds the lease" % leader))
    return EXIT_FAILURE


def who():
    """The person, also behind sudo."""
    return os.environ.get('SUDO_USER') or getpass.getuser()
