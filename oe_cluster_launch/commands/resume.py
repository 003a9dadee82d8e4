# -*- coding: utf-8 -*-
"""`oe-cluster-launch resume`: end a pause of cron."""
import sys

from oe_cluster_launch.cron.control import Control
from oe_cluster_launch.errors import EXIT_OK
from oe_cluster_launch.store import Store

NAME = 'resume'
HELP = "end a pause of cron"


def add_arguments(parser):
    """None."""


def run(arguments, settings):
    """Exit code 0 also when cron was not paused: what was asked for holds."""
    resumed = Control(Store(settings)).resume()
    sys.stdout.write("Cron goes on.\n" if resumed else "Cron was not paused.\n")
    return EXIT_OK
