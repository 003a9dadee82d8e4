# -*- coding: utf-8 -*-
"""The place of one run: PostgreSQL, databases, how long things may take."""
import os
import subprocess
import sys
import time

from testbed import golden, paths, progress, service, session
from testbed.postgres import Postgres, database_name


class Lab(object):
    """What a part is given.

    :ivar run: the Run that a part adds its series to
    :ivar quick: measure less, in three minutes instead of twenty
    """

    def __init__(self, run):
        self.run, self.quick = run, run.quick
        self.folder = session.begin()
        self.postgres = Postgres(os.path.join(self.folder, 'postgres'), golden.data()).start()
        self._began = time.monotonic()
        self._databases = 0

    def database(self, name, template='tpl_full'):
        """A copy of the common database, without scheduled jobs: one that fell due would spoil a turn."""
        self._databases += 1
        created = self.postgres.create_database('%s_%d' % (database_name(name), self._databases), template)
        self.postgres.query('UPDATE ir_cron SET active = false', created)
        return created

    def seconds_gone(self):
        """Since the lab was opened."""
        return time.monotonic() - self._began

    def say(self, sentence):
        """Tell the operator."""
        progress.say(sentence)

    def python27(self, module, *arguments, **more):
        """What `python2.7 -m MODULE` prints, where OpenERP can be imported; (exit code, text)."""
        return _output([paths.python27('python'), '-m', module] + [str(word) for word in arguments], **more)

    def script27(self, *words, **more):
        """What Python 2.7 prints, given a script."""
        return _output([paths.python27('python')] + [str(word) for word in words], **more)

    def python3(self, *words, **more):
        """The same for this Python."""
        return _output([sys.executable] + [str(word) for word in words], **more)

    def clear(self):
        """Kill every service but PostgreSQL: whatever a part has left running."""
        for each in service.alive():
            if each is not self.postgres:
                each.kill_all()

    def close(self):
        """Kill every service of the run."""
        service.kill_all_services()


def _output(command, timeout_seconds=600):
    search_path = ':'.join(filter(None, [paths.CHECKOUT, os.environ.get('PYTHONPATH')]))
    environment = dict(os.environ, PYTHONPATH=search_path)
    process = subprocess.run(command, cwd=paths.CHECKOUT, env=environment, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, universal_newlines=True, timeout=timeout_seconds)
    return process.returncode, process.stdout
