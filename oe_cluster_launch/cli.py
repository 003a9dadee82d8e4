# -*- coding: utf-8 -*-
"""The command line: which subcommand, and how an error becomes an exit code.

`oe-cluster-launch -c node.conf [openerp-server options]` starts a node; every
other use begins with a subcommand's name. An operator's mistake ends in one
sentence on stderr and a documented exit code, never in a traceback.
"""
import argparse
import errno
import importlib
import os
import pkgutil
import sys

from oe_cluster_launch import __version__, commands
from oe_cluster_launch.errors import EXIT_OK, EXIT_USAGE, LaunchError
from oe_cluster_launch.settings import load_settings

USAGE = """\
oe-cluster-launch %(version)s: several OpenERP 7.0 servers as one cluster

  oe-cluster-launch -c node.conf [openerp-server options]   start this node
  oe-cluster-launch --check -c node.conf [options]          tell whether this node may start
%(commands)s

Every option of openerp-server works unchanged; `oe-cluster-launch --host-help` lists them.
`oe-cluster-launch COMMAND --help` explains a command. The manual is in docs/."""


def subcommands():
    """The modules of `commands/`, by the name an operator types."""
    modules = [importlib.import_module('%s.%s' % (commands.__name__, name))
               for _, name, _ in pkgutil.iter_modules(commands.__path__)]
    return {module.NAME: module for module in modules}


def usage():
    rows = sorted((module.NAME, module.HELP) for module in subcommands().values())
    return USAGE % {
        'version': __version__,
        'commands': '\n'.join('  oe-cluster-launch %-40s%s' % row for row in rows),
    }


def main(argv=None):
    """Run one command and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ('-h', '--help', 'help'):
        sys.stdout.write(usage() + '\n')
        return EXIT_OK if argv else EXIT_USAGE
    if argv == ['--version']:
        sys.stdout.write('oe-cluster-launch %s\n' % __version__)
        return EXIT_OK
    try:
        exit_code = _dispatch(argv)
        sys.stdout.flush()
        return exit_code
    except LaunchError as error:
        sys.stderr.write('oe-cluster-launch: %s\n' % error)
        return error.exit_code
    except IOError as error:
        if error.errno != errno.EPIPE:
            raise
        # `... | head` has read enough; keep the interpreter's last flush quiet
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK


def _dispatch(argv):
    known = subcommands()
    if argv[0].startswith('-'):
        return known['run'].start(argv)
    parser = argparse.ArgumentParser(prog='oe-cluster-launch')
    chooser = parser.add_subparsers(dest='command', metavar='COMMAND')
    for name, module in sorted(known.items()):
        subparser = chooser.add_parser(name, help=module.HELP, description=module.HELP)
        subparser.add_argument('-c', '--config', metavar='FILE', default=os.environ.get('OPENERP_SERVER'),
                               help="the node's configuration file (default: $OPENERP_SERVER)")
        module.add_arguments(subparser)
    try:
        arguments = parser.parse_args(_configuration_first(argv))
    except SystemExit as stopped:  # argparse has said why
        return EXIT_USAGE if stopped.code else EXIT_OK
    command = known[arguments.command]
    reads = getattr(command, 'READS_SETTINGS', True)
    return command.run(arguments, load_settings(arguments.config, os.environ) if reads else None)


def _configuration_first(argv):
    """`-c FILE` right behind the command, wherever it was written: `key rotate -c FILE`."""
    for index, word in enumerate(argv):
        if word in ('-c', '--config') and 0 < index < len(argv) - 1:
            return argv[:1] + argv[index:index + 2] + argv[1:index] + argv[index + 2:]
    return argv
