# -*- coding: utf-8 -*-
"""A real systemd as process 1, to try units with: machine.sh says how.

It needs root (or sudo) and a kernel that lets root make namespaces; a container may forbid that.
Nothing it does outlives it: it works on a copy of this machine's files. It shares the network, so
tests reach its services, and it reaches theirs.
"""
import os
import subprocess

from . import account, packages, paths, process_table, running
from .node import NodeProcess
from .problem import Problem
from .waiting import wait_until

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'machine.sh')
UNITS = '/etc/systemd/system'
FILES = {'service': 'oe-cluster@.service', 'socket': 'oe-cluster@.socket', 'target': 'oe-cluster.target'}
#: what programs are run from, and what they share with the tests
OUR_FOLDERS = [paths.CHECKOUT, paths.state_folder()]
AS_ROOT = [] if os.getuid() == 0 else ['sudo', '-n']


def hindrance():
    """Why this kernel does not let us have a machine, or ''."""
    with open('/proc/mounts') as mounts:
        if not any(line.split()[2] == 'cgroup2' for line in mounts):
            return "no cgroup2 is mounted"
    tried = subprocess.run(
        AS_ROOT + ['unshare', '--mount', '--pid', '--fork', '--cgroup',
                   'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return tried.stdout.strip() if tried.returncode else ''


class Machine(object):
    """`start()`, `systemctl(...)`, `kill()`; the state folder is shared with the outside."""

    def __init__(self, folder):
        self.folder = account.folder(folder)
        self.log_path = os.path.join(self.folder, 'systemd.log')
        self._script = AS_ROOT + ['sh', SCRIPT, ':'.join(OUR_FOLDERS), 'oe-machine-%d' % os.getpid()]
        self._process = None
        self.pid = None

    def start(self):
        """Boot it, and wait until it takes orders."""
        with open(self.log_path, 'ab') as log:
            self._process = subprocess.Popen(
                self._script, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=account.dying_with_us())
        running.record(self._process.pid, 'machine', running.session_owner())
        try:
            wait_until(self._is_up, 30, "systemd as process 1 takes orders")
        except Problem as problem:
            raise Problem("%s.\n%s" % (problem, self.log()))
        return self

    def _is_up(self):
        if self._process.poll() is not None:
            raise Problem("The machine ended at once.\n%s" % self.log())
        found = [pid for pid in process_table.family(self._process.pid)
                 if process_table.title(pid).startswith('/lib/systemd/systemd --system')]
        if not found:
            return False
        self.pid = found[0]
        return self.run('systemctl', 'is-system-running')[1].strip() in ('running', 'degraded')

    def run(self, *command):
        """(exit code, what was printed) of a command run inside, as root."""
        done = subprocess.run(AS_ROOT + ['nsenter', '-t', str(self.pid), '-a'] + list(command),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              universal_newlines=True, timeout=300)
        return done.returncode, done.stdout

    def systemctl(self, *words):
        """What systemctl prints; Problem when it fails."""
        code, printed = self.run('systemctl', *words)
        if code:
            raise Problem("systemctl %s: exit code %d\n%s\n%s" % (' '.join(words), code, printed, self.log()))
        return printed

    def show(self, unit, name):
        """A property of a unit, as text."""
        return self.systemctl('show', '--value', '-p', name, unit).strip()

    def outside_pid(self, inside):
        """The pid, in the tests' eyes, of a process that is `inside` in the machine's."""
        for pid in process_table.family(self.pid):
            with open('/proc/%d/status' % pid) as status:
                numbers = [line.split()[1:] for line in status if line.startswith('NSpid:')][0]
            if numbers[-1] == str(inside):
                return pid
        raise Problem("There is no process %s in the machine." % inside)

    def write(self, path, text):
        """A file inside."""
        packages.write_as_root('/proc/%d/root%s' % (self.pid, path), text)

    def read(self, path):
        """A file inside."""
        return self.run('cat', path)[1]

    def log(self):
        """What was said before systemd ran, and its journal."""
        with open(self.log_path, errors='replace') as stream:
            before = stream.read()
        return before + (self.run('journalctl', '--no-pager', '--quiet')[1] if self.pid else '')

    def kill(self):
        """Cut the power."""
        if self._process and self._process.poll() is None:
            packages.as_root(['kill', '-KILL', str(self.pid or self._process.pid)], may_fail=True)
            self._process.wait(30)
        if self._process:
            running.forget(self._process.pid)
            self.pid = None
            wait_until(lambda: not subprocess.call(self._script + ['gone'], stderr=subprocess.DEVNULL), 10,
                       "nothing of the machine is left")


class UnitNode(NodeProcess):
    """A node that a machine's systemd runs by our unit: instance `name` of oe-cluster@."""

    def __init__(self, machine, name, postgres, redis_url, secret_key_file, **more):
        folder = os.path.join(machine.folder, 'etc')
        super(UnitNode, self).__init__(name, folder, postgres, redis_url, secret_key_file, **more)
        self.machine = machine
        self.unit = 'oe-cluster@%s' % name
        self.configuration_path = os.path.join(self.folder, '%s.conf' % name)
        self.log_path = '/var/log/oe-cluster/%s.log' % name
        self.options.update(logfile=self.log_path, pidfile='/run/oe-cluster/%s.pid' % name)
        who = account.current()
        self.cluster.update(user=who.pw_name)

    def install(self, *drop_in):
        """Write its configuration, the units that the launcher prints for it, and a drop-in."""
        self.configure()
        for kind, name in FILES.items():
            text = subprocess.check_output([paths.python27('oe-cluster-launch'), 'systemd', kind,
                                            '-c', self.configuration_path], universal_newlines=True)
            self.machine.write('%s/%s' % (UNITS, name), text)
        # a checkout in /tmp, /var/tmp or somebody's home is one that the unit hides
        lines = ['[Service]', 'BindReadOnlyPaths=%s' % ' '.join(OUR_FOLDERS)] + list(drop_in)
        if os.environ.get('PYTHONPATH'):
            lines.append('Environment=PYTHONPATH=%s' % os.environ['PYTHONPATH'])
        self.machine.write('%s/%s.service.d/test.conf' % (UNITS, self.unit), '\n'.join(lines) + '\n')
        self.machine.systemctl('daemon-reload')
        return self

    def start(self, wait=True):
        """`systemctl start`, which returns when the node has said that it is ready."""
        self.machine.systemctl(*(['start'] + ([] if wait else ['--no-block']) + [self.unit]))
        return self

    def state(self):
        """active, activating, failed, inactive ..."""
        return self.machine.show(self.unit, 'ActiveState')

    def main_pid(self):
        """The keeper's pid, as the tests see it; None when there is none."""
        inside = self.machine.show(self.unit, 'MainPID')
        return None if inside == '0' else self.machine.outside_pid(inside)

    def log(self):
        return self.machine.read(self.log_path)
