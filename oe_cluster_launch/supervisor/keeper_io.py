# -*- coding: utf-8 -*-
"""What the keeper's decisions are carried out with: processes, sockets, signals, files.

Runs in the keeper only. Signal handlers do nothing but remember the number;
none is ever dropped (the kernel itself merges equal signals that are pending).
"""
import collections
import errno
import fcntl
import json
import logging
import os
import select
import signal
import subprocess
import sys

from oe_cluster_launch.compat import monotonic, to_text
from oe_cluster_launch.supervisor import linux, log, temporary
from oe_cluster_launch.supervisor.handover import VARIABLE, Handover, set_inheritable, unbound_sockets
from oe_cluster_launch.supervisor.notify import Notifier

#: how a new version of the keeper learns what the old one kept
KEEPER_VARIABLE = 'OE_CLUSTER_KEEPER'
#: systemd's own variables are for the keeper alone
SYSTEMD_VARIABLES = ('NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'LISTEN_PID', 'LISTEN_FDS',
                     'LISTEN_FDNAMES')
LISTEN_FDS_START = 3
SIGNALS = [getattr(signal, 'SIG' + name) for name in
           ('HUP', 'INT', 'TERM', 'QUIT', 'TTIN', 'TTOU', 'USR1', 'USR2', 'WINCH')]
#: on top of graceful_timeout, before an old master is killed
RETIRE_MARGIN_SECONDS = 15

_logger = logging.getLogger(__name__)


def set_nonblocking(descriptor):
    """A read or write that would wait fails with EAGAIN instead."""
    fcntl.fcntl(descriptor, fcntl.F_SETFL,
                fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_NONBLOCK)


def how_it_ended(status):
    """Half a sentence about a wait status."""
    if os.WIFSIGNALED(status):
        return "was killed by signal %d" % os.WTERMSIG(status)
    return "ended with exit code %d" % os.WEXITSTATUS(status)


def own_command(arguments):
    """The command line that starts this program again, as it was started."""
    script = sys.argv[0]
    if os.path.basename(script) == '__main__.py' or not os.path.isfile(script):
        return [sys.executable, '-m', 'oe_cluster_launch'] + arguments
    return [sys.executable, os.path.abspath(script)] + arguments


class MasterProcess(object):
    """The keeper's view of one master."""

    def __init__(self, pid, channel, graceful_seconds, ready=False):
        self.pid = pid
        self.channel = channel
        self.graceful_seconds = graceful_seconds
        self.ready = ready
        self.descriptors = []
        self.started_at = self.heard_at = monotonic()
        self.kill_at = None
        self._unread = b''
        set_inheritable(channel, False)
        set_nonblocking(channel)

    def send(self, number):
        try:
            os.kill(self.pid, number)
        except OSError as error:
            if error.errno != errno.ESRCH:
                raise

    def retire(self, number):
        """Tell it to leave, and remember when patience ends."""
        self.kill_at = monotonic() + self.graceful_seconds + RETIRE_MARGIN_SECONDS
        self.send(number)

    def reports(self):
        """What it has reported since the last call, oldest first."""
        try:
            read = os.read(self.channel, 65536)
            while read:
                self._unread += read
                read = os.read(self.channel, 65536)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR):
                raise
        lines = self._unread.split(b'\n')
        self._unread = lines.pop()
        if lines:
            self.heard_at = monotonic()
        return [json.loads(to_text(line)) for line in lines]

    def close(self):
        os.close(self.channel)


class Resources(object):
    """Everything of the outside world the keeper holds."""

    def __init__(self, arguments, settings, environ):
        self.arguments = arguments
        self.graceful_seconds = settings.graceful_timeout + settings.drain_seconds
        self.node_name = settings.node_name or ''
        self.notifier = Notifier(environ)
        self.cwd = os.getcwd()
        self.pidfile = None
        self.adopted = None
        self.adopted_retiring = []
        self._kept = json.loads(environ.pop(KEEPER_VARIABLE, '{}'))
        self._environ = environ
        self._signals = collections.deque()
        self._wakeup = self._listen_to_signals()
        self.activated, self.sockets = self._first_sockets()
        self._proven = list(self.sockets)
        log.start_keeper_log()
        self.metrics_folder = self._kept.get('metrics_folder') or temporary.make_for_keeper('metrics')
        if self._kept:
            self._adopt()

    # -- signals ---------------------------------------------------------

    def _listen_to_signals(self):
        reader, writer = os.pipe()
        for end in (reader, writer):
            set_inheritable(end, False)
            set_nonblocking(end)
        signal.set_wakeup_fd(writer)
        for number in SIGNALS:
            signal.signal(number, lambda number, frame: self._signals.append(number))
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        linux.unblock_signals(*SIGNALS)  # blocked by an earlier version of ourselves
        return reader

    def wait(self, masters):
        """Sleep until something happens, at most a second; returns the signals that came."""
        try:
            ready = select.select([self._wakeup] + [master.channel for master in masters],
                                  [], [], 0 if self._signals else 1.0)[0]
            if self._wakeup in ready:
                os.read(self._wakeup, 4096)
        except (OSError, select.error) as error:
            if error.args[0] not in (errno.EINTR, errno.EAGAIN):
                raise
        came = []
        while self._signals:
            came.append(self._signals.popleft())
        return came

    def reap(self):
        """(pid, status) of every child that has ended."""
        ended = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except OSError as error:
                if error.errno == errno.ECHILD:
                    return ended
                raise
            if not pid:
                return ended
            ended.append((pid, status))

    # -- sockets ---------------------------------------------------------

    def _first_sockets(self):
        """(those that are systemd's, all)."""
        if self._kept:
            return self._kept['activated'], self._kept['sockets']
        if self._environ.get('LISTEN_PID') == str(os.getpid()):
            count = int(self._environ.get('LISTEN_FDS', 0))
            if count:
                given = list(range(LISTEN_FDS_START, LISTEN_FDS_START + count))
                return given, list(given)
        return [], []

    def keep_sockets(self, descriptors):
        """Keep those a master listens on, close all others."""
        for descriptor in self.sockets:
            if descriptor not in descriptors:
                os.close(descriptor)
        self.sockets = self._proven = list(descriptors)

    # -- masters ---------------------------------------------------------

    def start_master(self, again):
        """Fork and exec a new master, with our sockets and fresh unbound ones to choose from."""
        self.keep_sockets(self._proven)  # without what a master that failed has left
        # dup: a socket object would close its descriptor when it is collected
        self.sockets = self.sockets + [os.dup(made.fileno()) for made in unbound_sockets()]
        reader, writer = os.pipe()
        handover = Handover(os.getpid(), writer, self.sockets, again, self.activated, self.metrics_folder)
        environ = dict((name, value) for name, value in self._environ.items()
                       if name not in SYSTEMD_VARIABLES)
        environ[VARIABLE] = handover.dump()
        keeper_pid = os.getpid()
        pid = os.fork()
        if pid:
            os.close(writer)
            return MasterProcess(pid, reader, self.graceful_seconds)
        try:
            linux.die_with_parent(keeper_pid)
            os.setpgid(0, 0)  # ^C in a terminal is for the keeper alone
            for descriptor in [writer] + self.sockets:
                set_inheritable(descriptor, True)
            os.chdir(self.cwd)
            command = own_command(self.arguments)
            os.execve(command[0], command, environ)
        finally:
            os._exit(127)

    # -- files -----------------------------------------------------------

    def configure(self, node_name, pidfile, logfile, log_format, graceful_seconds):
        """What a master knows from OpenERP's options."""
        self.node_name = node_name
        self.graceful_seconds = graceful_seconds
        if self.pidfile and self.pidfile != pidfile:
            self._remove_pidfile()
        self.pidfile = pidfile
        log.continue_keeper_log(node_name, logfile, log_format)

    def write_pidfile(self):
        if not self.pidfile:
            return
        temporary = '%s.%d' % (self.pidfile, os.getpid())
        try:
            with open(temporary, 'w') as pidfile:
                pidfile.write('%d\n' % os.getpid())
            os.rename(temporary, self.pidfile)
        except (IOError, OSError) as error:
            _logger.error("pidfile %s was not written: %s", self.pidfile, error)

    def close(self):
        """Our end: nothing of ours stays."""
        self._remove_pidfile()
        temporary.remove(self.metrics_folder)

    def _remove_pidfile(self):
        """If it is still ours."""
        try:
            with open(self.pidfile or '') as pidfile:
                if pidfile.read().strip() == str(os.getpid()):
                    os.unlink(self.pidfile)
        except (IOError, OSError):
            pass

    # -- a new version of the keeper --------------------------------------

    def become_new_keeper(self, serving, retiring):
        """Replace this process's image; masters, sockets and pid stay. Returns only if refused.

        Signals wait, blocked, for the new image; those that came before are obeyed first.
        :returns: whether to try again
        """
        command = own_command(self.arguments)
        trial = subprocess.Popen([command[0]] + command[1:len(command) - len(self.arguments)] +
                                 ['--version'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = trial.communicate()[0]
        if trial.returncode:
            _logger.error("the new version of the launcher does not start, this one goes on: %s",
                          to_text(output).strip())
            return False
        linux.block_signals(*SIGNALS)
        if self._signals:
            linux.unblock_signals(*SIGNALS)
            return True
        kept = {'activated': self.activated, 'sockets': self.sockets, 'pidfile': self.pidfile,
                'metrics_folder': self.metrics_folder,
                'serving': [serving.pid, serving.channel], 'descriptors': serving.descriptors,
                'retiring': [[master.pid, master.channel] for master in retiring]}
        for descriptor in self.sockets + [serving.channel] + [old.channel for old in retiring]:
            set_inheritable(descriptor, True)
        os.execve(command[0], command, dict(self._environ, **{KEEPER_VARIABLE: json.dumps(kept)}))

    def _adopt(self):
        self.pidfile = self._kept['pidfile']
        pid, channel = self._kept['serving']
        self.adopted = MasterProcess(pid, channel, self.graceful_seconds, ready=True)
        self.adopted.descriptors = self._kept['descriptors']
        self.adopted_retiring = [MasterProcess(pid, channel, self.graceful_seconds, ready=True)
                                 for pid, channel in self._kept['retiring']]
