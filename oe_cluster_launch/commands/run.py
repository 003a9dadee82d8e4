# -*- coding: utf-8 -*-
"""Start a node, or check that it could start. The default: no subcommand's name is needed.

Only `-c`, `--check` and `--host-help` are ours; every other word of the
command line is handed to OpenERP's own parser, untouched.
"""
import os

from oe_cluster_launch import privileges
from oe_cluster_launch.check import start as start_check
from oe_cluster_launch.errors import EXIT_OK, ConfigurationError, UsageError
from oe_cluster_launch.settings import load_settings

NAME = 'run'
HELP = "start this node (the default), as in: oe-cluster-launch -c node.conf"


def add_arguments(parser):
    parser.add_argument('--check', action='store_true',
                        help="tell whether this node may start, start nothing")
    parser.add_argument('host_arguments', nargs='*', metavar='OPTION', help="options of openerp-server")


def run(arguments, settings):
    """`oe-cluster-launch run -c FILE`: the same as without `run`."""
    argv = ['-c', arguments.config] if arguments.config else []
    return start(argv + list(arguments.host_arguments) + (['--check'] if arguments.check else []))


def start(argv):
    """Start a node with OpenERP's command line; returns only when the work was done once."""
    argv = list(argv)
    if '--host-help' in argv:
        return _host_help()
    only_check = '--check' in argv
    if only_check:
        argv.remove('--check')
    config_path = find_config_path(argv)
    if only_check:
        return start_check.report(config_path, argv)
    return _serve(config_path, argv)


def _serve(config_path, argv):
    from oe_cluster_launch.supervisor.handover import Handover
    handover = Handover.take()
    try:
        return _master(config_path, argv, handover) if handover else _keeper(config_path, argv)
    except ConfigurationError:
        # the boot stops at its first fault; an operator wants them all. During a
        # reload a check would find our own port in use
        if not (handover and handover.again):
            start_check.report(config_path, argv)
        raise


def _keeper(config_path, argv):
    """The process an operator starts. It runs this program again, as a master."""
    from oe_cluster_launch.supervisor import keep
    settings = load_settings(config_path, os.environ)
    privileges.drop(settings)
    return keep(argv, settings)


def _master(config_path, argv, handover):
    from oe_cluster_launch.boot import boot
    node = boot(config_path, argv, handover)
    if node.finished:
        return EXIT_OK
    from oe_cluster_launch.supervisor import supervise
    return supervise(node, handover)


def _host_help():
    from oe_cluster_launch.seams.openerp7 import options
    options.import_host().tools.config.parser.print_help()
    return EXIT_OK


def find_config_path(argv):
    """The file that `-c`/`--config` names, else $OPENERP_SERVER, else None.

    :raises UsageError: `-c` without a file
    """
    for index, word in enumerate(argv):
        if word in ('-c', '--config'):
            if index + 1 == len(argv):
                raise UsageError("%s needs the path of the node's configuration file." % word)
            return argv[index + 1]
        if word.startswith('--config='):
            return word[len('--config='):]
        if word.startswith('-c') and not word.startswith('--'):
            return word[2:]
    return os.environ.get('OPENERP_SERVER')
