# -*- coding: utf-8 -*-
"""Requests that take as long, as much processor time or as much memory as a test wants.

Python code in a server action, which OpenERP runs for whoever may: no addon is needed.
"""
import threading

SLEEP_IN_POSTGRES = "cr.execute('SELECT pg_sleep(%s)')"
SLEEP_IN_PYTHON = "time.sleep(%s)"
COUNT = "n = 0\nwhile n < %s: n += 1"
ALLOCATE_MB = "x = 'x' * (%s << 20)"
GROW_MB = "x = []\nwhile len(x) < %s:\n    x.append('x' * (1 << 20))\n    time.sleep(0.01)"


class Action:
    """A server action: `Action(client, SLEEP_IN_PYTHON, 3).run()`."""

    def __init__(self, client, code, *values):
        self.client = client
        model = client.call('ir.model', 'search', [('model', '=', 'res.partner')])[0]
        self.id = client.call('ir.actions.server', 'create', {
            'name': 'Slow', 'model_id': model, 'state': 'code', 'condition': 'True',
            'code': (code % values if values else code) + "\naction = {'done': True}"})

    def run(self):
        """Run it; {'done': True} when it came to its end."""
        return self.client.call('ir.actions.server', 'run', [self.id],
                                {'active_id': 1, 'active_model': 'res.partner'})

    def start(self):
        """Run it in a thread; call `.result()` of what is returned for the answer."""
        return Running(self.run)


class Running(threading.Thread):
    """A call that goes on."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self._call, self._answer, self._error = call, None, None
        self.start()

    def run(self):
        try:
            self._answer = self._call()
        except Exception as error:
            self._error = error

    def result(self, timeout_seconds=60):
        """The answer, or the exception."""
        self.join(timeout_seconds)
        assert not self.is_alive(), "still running"
        if self._error:
            raise self._error
        return self._answer
