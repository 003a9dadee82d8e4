# -*- coding: utf-8 -*-
"""Workers as child processes, ours and stock, so that a test decides who does what when."""
import json
import os
import subprocess
import sys


class Fault(Exception):
    """The worker answered a call with an error."""


class Worker(object):
    """A child that runs worker_process.py; start several, they boot at the same time."""

    def __init__(self, kind, database, postgres, redis_url=None, key_file=None, **environment):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'worker_process.py')
        arguments = [kind, database, postgres.host, str(postgres.port), postgres.role]
        if redis_url:
            arguments += [redis_url, key_file]
        self.database = database
        self._child = subprocess.Popen([sys.executable, script] + arguments, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, env=dict(os.environ, **environment))

    def wait_until_ready(self):
        self._answer()
        return self

    def run(self, code):
        """Execute `code` in the worker; returns what it assigned to `answer`."""
        self.begin({'run': code})
        return self._answer()

    def rpc(self, service, method, *params):
        """One request through the worker's WSGI application."""
        self.begin({'rpc': [service, method, params]})
        return self._answer()

    def call(self, model, method, *params, **credentials):
        """A model's method, as admin unless `uid` and `password` say otherwise."""
        return self.rpc('object', 'execute', self.database, credentials.get('uid', 1),
                        credentials.get('password', 'admin'), model, method, *params)

    def begin(self, order):
        """Give an order without waiting for its answer; :meth:`finish` waits."""
        self._child.stdin.write(json.dumps(order).encode('utf-8') + b'\n')
        self._child.stdin.flush()

    def begin_call(self, model, method, *params):
        self.begin({'rpc': ['object', 'execute', [self.database, 1, 'admin', model, method] + list(params)]})

    def finish(self):
        return self._answer()

    def stop(self):
        self._child.stdin.close()
        self._child.stdout.close()
        self._child.kill()
        self._child.wait()

    def _answer(self):
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError("the worker died; its complaint is above")
        result = json.loads(line.decode('utf-8'))
        if 'fault' in result:
            raise Fault(result['fault'])
        return result['answer']
