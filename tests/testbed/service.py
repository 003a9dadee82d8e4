# -*- coding: utf-8 -*-
"""A service: one daemon in its own folder, run as the account, that tests may ill-treat.

Subclasses say what to run and when it is ready. A service never outlives the test session: it
gets a signal when the session dies, is killed at the session's orderly end, and is swept up by
the next session in any other case.
"""
import atexit
import os
import signal
import subprocess

from . import account, process_table, running
from .problem import Problem
from .waiting import wait_until


class Service(object):
    """Start, stop, kill, pause and resume one daemon and all its children."""

    #: The signal that asks for an orderly end.
    stop_signal = signal.SIGTERM
    #: The signal that the kernel sends when the test session dies.
    orphan_signal = signal.SIGTERM
    ready_timeout_seconds = 30
    #: A Namespace to live in, instead of the machine's own network.
    network = None

    def __init__(self, name, folder, environment=None, owner=None):
        self.name = name
        self.folder = account.folder(folder)
        self.log_path = os.path.join(self.folder, '%s.log' % name)
        self.environment = dict(environment or {})
        self.owner = owner or running.session_owner()
        self.pid = None
        self._process = None

    # what a subclass tells

    def command(self):
        """The command line, as a list."""
        raise NotImplementedError

    def configure(self):
        """Write the configuration files, before each start."""

    def is_ready(self):
        """Whether the service answers."""
        raise NotImplementedError

    # what a test does

    def start(self, wait=True):
        """Start it and, unless told otherwise, wait until it is ready; return the service."""
        if self.is_running():
            raise Problem("%s runs already" % self.name)
        self.configure()
        outlives = self.owner == running.DEMO
        with open(self.log_path, 'ab') as log, open(os.devnull) as nothing:
            self._process = subprocess.Popen(
                self.command(), stdin=nothing, stdout=log, stderr=log, cwd=self.folder,
                env=account.environment(self.folder, **self.environment), close_fds=True,
                preexec_fn=account.becoming(None if outlives else self.orphan_signal,
                                            self.network.enter if self.network else None))
        account.give(self.log_path)
        self.pid = self._process.pid
        running.record(self.pid, self.name, self.owner)
        if not outlives:
            _started.append(self)
        return self.wait_until_ready() if wait else self

    def wait_until_ready(self, timeout_seconds=None):
        """Wait until it answers; Problem with the end of its log when it does not."""
        try:
            wait_until(lambda: not self.is_running() or self.is_ready(),
                       timeout_seconds or self.ready_timeout_seconds, "%s answers" % self.name)
        except Problem as problem:
            raise Problem("%s.\n%s" % (problem, self.log_tail()))
        if not self.is_running():
            raise Problem("%s ended at once, with exit code %s.\n%s"
                          % (self.name, self.exit_code(), self.log_tail()))
        return self

    def is_running(self):
        """Whether the master process lives (paused counts as living)."""
        if self._process:
            return self._process.poll() is None
        return bool(self.pid and process_table.entry(self.pid))

    def exit_code(self):
        """The master's exit code (negative: the signal that ended it); None while it lives."""
        return self._process.poll() if self._process else None

    def stop(self, timeout_seconds=20):
        """Ask it to end and wait; return the exit code. Problem when it had to be killed."""
        if self.is_running():
            running.send([self.pid], self.stop_signal)
            try:
                wait_until(lambda: not self.is_running(), timeout_seconds,
                           "%s ended after signal %d" % (self.name, self.stop_signal))
            except Problem as problem:
                self.kill_all()
                raise Problem("%s; it was killed.\n%s" % (problem, self.log_tail()))
        self.kill_all()  # children that outlived their master
        return self.exit_code()

    def kill_all(self):
        """SIGKILL the master and everything it started: the machine lost power."""
        if self.pid:
            running.kill_family(self.pid)
            if self._process:
                self._process.wait()
            running.forget(self.pid)

    def kill_master(self):
        """SIGKILL the master alone; its children live on as orphans."""
        running.send([self.pid], signal.SIGKILL)
        if self._process:
            self._process.wait()

    def pause(self):
        """SIGSTOP the master and all its children: the machine hangs."""
        running.send(process_table.family(self.pid), signal.SIGSTOP)

    def resume(self):
        """SIGCONT after pause()."""
        running.send(process_table.family(self.pid), signal.SIGCONT)

    def signal(self, number):
        """Send a signal to the master."""
        running.send([self.pid], number)

    def children(self):
        """The pids of everything that the master started and that lives."""
        return [pid for pid in process_table.family(self.pid) if pid != self.pid]

    def restart(self):
        """Stop and start again, same folder, same data."""
        self.stop()
        return self.start()

    def log(self):
        """All that it logged."""
        if not os.path.exists(self.log_path):
            return ''
        with open(self.log_path, 'rb') as stream:
            return stream.read().decode('utf-8', 'replace')

    def log_tail(self, lines=40):
        """The last lines of its log, under a heading."""
        return "--- end of %s\n%s" % (self.log_path, '\n'.join(self.log().splitlines()[-lines:]))

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.kill_all()


_started = []


def alive():
    """The services of this session that run."""
    return [service for service in _started if service.is_running()]


@atexit.register
def kill_all_services():
    """Kill every service of this session: youngest first, so that clients go before servers."""
    while _started:
        _started.pop().kill_all()
