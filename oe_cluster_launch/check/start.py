# -*- coding: utf-8 -*-
"""`--check`: may this node start? The checks whose failure would stop it, all faults at once.

Also run when a start has failed because of its configuration: the boot stops
at its first fault, and an operator wants to know them all.
"""
import sys

from oe_cluster_launch.check.context import Context
from oe_cluster_launch.check.result import FAIL
from oe_cluster_launch.check.runner import run_all
from oe_cluster_launch.check.table import CHECKS
from oe_cluster_launch.errors import EXIT_OK, ConfigurationError


def faults(config_path, arguments):
    """Every fault that keeps this node from starting, in the order of the table.

    Changes the process's user when started as root: the process should end afterwards.
    """
    checks = [check for check in CHECKS if check.at_start or _is_needed(check)]
    return [result.fault(outcome.check.title) for outcome in run_all(checks, Context(config_path, arguments))
            for result in outcome.results if result.status == FAIL and outcome.check.at_start]


def _is_needed(check):
    return any(check.title in other.after for other in CHECKS if other.at_start)


def report(config_path, arguments):
    """Print the verdict and return the exit code.

    :raises ConfigurationError: with every fault
    """
    found = faults(config_path, arguments)
    if found:
        raise ConfigurationError(found, config_path)
    sys.stdout.write("%s: settings, account, key file, Redis, PostgreSQL and OpenERP are fine\n"
                     % (config_path or 'environment'))
    return EXIT_OK
