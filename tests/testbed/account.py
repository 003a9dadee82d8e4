# -*- coding: utf-8 -*-
"""The account that services run as: OpenERP and PostgreSQL both refuse root.

Run as root, the testbed uses a system account without log-in; run as anybody else, everything
runs as that user.
"""
import os
import pwd
import signal
import subprocess

from .problem import Problem

NAME = 'oe-testbed'


def current():
    """The password database entry of the account that services run as."""
    if os.getuid():
        return pwd.getpwuid(os.getuid())
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        raise Problem("The account %s does not exist yet: run `make install`." % NAME)


def create():
    """Make sure that the account exists (as root), without home folder and without log-in."""
    if os.getuid():
        return
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        subprocess.check_call(['useradd', '--system', '--user-group', '--no-create-home',
                               '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin', NAME])


def give(path):
    """Hand the file or folder `path` to the account; return the path."""
    if not os.getuid():
        who = current()
        os.chown(path, who.pw_uid, who.pw_gid)
    return path


def folder(path, mode=0o755):
    """Create the folder `path` for the account where it is missing; return the path."""
    if not os.path.isdir(path):
        os.makedirs(path)
    os.chmod(path, mode)
    return give(path)


def becoming(signal_at_parent_death=None, first=None):
    """A `preexec_fn`: own session, the account's identity, and a signal when the parent dies.

    `first` is called before, while the child may still do what the caller may.

    The kernel forgets the death signal when the identity changes, hence the order. It watches
    the THREAD that started the process: start services from the main thread.
    """
    who = None if os.getuid() else current()
    prctl = _prctl() if signal_at_parent_death else None
    parent = os.getpid()

    def become():
        if first:
            first()
        os.setsid()
        os.umask(0o022)
        if who:
            os.setgroups([])
            os.setgid(who.pw_gid)
            os.setuid(who.pw_uid)
        if prctl:
            prctl(1, int(signal_at_parent_death), 0, 0, 0)  # 1 = PR_SET_PDEATHSIG
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
    return become


def dying_with_us(number=signal.SIGKILL):
    """A `preexec_fn` for what stays root: a signal when our thread ends. sudo forgets it."""
    prctl = _prctl()
    return lambda: prctl(1, int(number), 0, 0, 0)


def _prctl():
    import ctypes
    return ctypes.CDLL(None).prctl


def environment(home, **more):
    """A small environment for the account: nothing of the caller's but his PYTHONPATH."""
    result = {
        'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'HOME': home, 'TMPDIR': home, 'LANG': 'C.UTF-8', 'LC_ALL': 'C.UTF-8',
        'USER': current().pw_name, 'PYTHONUNBUFFERED': '1',
    }
    if os.environ.get('PYTHONPATH'):
        result['PYTHONPATH'] = os.environ['PYTHONPATH']
    result.update(more)
    return result


def run(command, home, log=None, **more):
    """Run `command` as the account to its end; return its exit code and all that it printed."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=home, env=environment(home, **more), preexec_fn=becoming(signal.SIGKILL),
        close_fds=True)
    printed = process.communicate()[0].decode('utf-8', 'replace')
    if log:
        with open(log, 'a') as stream:
            stream.write("$ %s\n%s\n" % (' '.join(command), printed))
    return process.returncode, printed
