# -*- coding: utf-8 -*-
"""The commands that the Makefile calls: `cd tests && python3 -m testbed COMMAND`."""
import os
import sys

from . import demo, install, paths, progress
from .problem import Problem

COMMANDS = {
    'install': lambda: install.install({'openerp', 'browser'}),
    'install-fast': lambda: install.install(set()),
    'install-benchmark': lambda: install.install({'openerp', 'benchmark'}),
    'run': lambda: demo.run(os.environ.get('OPENERP')),
    'stop': demo.stop,
    'clean': demo.clean,
    'where': lambda: progress.say(paths.state_folder()),
}


def main(arguments):
    """Run one command; a Problem is one sentence and exit code 1."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.exit("usage: python3 -m testbed %s" % '|'.join(sorted(COMMANDS)))
    try:
        COMMANDS[arguments[0]]()
    except Problem as problem:
        sys.stdout.flush()
        sys.exit("\n%s" % problem)
    except KeyboardInterrupt:
        sys.exit(130)


main(sys.argv[1:])
