# -*- coding: utf-8 -*-
"""`--check`: everything that can be known to be wrong before a start, all at once.

Each check is a function that yields faults and starts nothing. One that fails
does not keep the others from running. Runs as whoever calls it; what the
configured user may read is checked for that user.
"""
import os
import sys

from oe_cluster_launch import privileges
from oe_cluster_launch.errors import EXIT_OK, ConfigurationError, Fault, LaunchError
from oe_cluster_launch.settings import load_settings


def host_faults(settings, arguments):
    """What OpenERP's own parser and PostgreSQL say."""
    from oe_cluster_launch.seams.openerp7.host import Host
    return Host().check(arguments)


def shared_state_faults(settings, arguments):
    """The key file and Redis."""
    from oe_cluster_launch import shared_state
    return shared_state.faults(settings)


CHECKS = [
    lambda settings, arguments: privileges.check(settings),
    shared_state_faults,
    host_faults,
]


def collect(config_path, arguments):
    """Every fault of this node's configuration, in the order of the checks."""
    try:
        settings = load_settings(config_path, os.environ)
    except ConfigurationError as error:
        faults, settings = list(error.faults), None
    else:
        faults = []
    for check in CHECKS if settings else [host_faults]:
        try:
            faults.extend(check(settings, arguments))
        except LaunchError as error:
            faults.append(Fault('environment', sys.executable, str(error), ""))
    return faults


def report(config_path, arguments):
    """Print the verdict and return the exit code.

    :raises ConfigurationError: with every fault
    """
    faults = collect(config_path, arguments)
    if faults:
        raise ConfigurationError(faults, config_path)
    sys.stdout.write("%s: configuration, keys, Redis, PostgreSQL and OpenERP are fine\n" % config_path)
    return EXIT_OK
