# -*- coding: utf-8 -*-
"""What the agent and its workers need of the operating system: signals, death, memory.

Linux only, like the launcher. No decision is made here.
"""
import ctypes
import fcntl
import os
import signal

_PR_SET_PDEATHSIG = 1
#: signals that the supervisor's master handles and its children must not inherit;
#: SIGQUIT is left alone: it dumps stacks, and whoever forks says under which name
_INHERITED = ('SIGHUP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGALRM')


def die_with_parent(parent_pid, signal_number=signal.SIGKILL):
    """Have the kernel send us a signal when our parent ends.

    Called in the child, right after the fork.
    :returns: False when the parent is gone already, so that no signal will come
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    return os.getppid() == parent_pid


def reset_signals():
    """Undo the handlers and the wake-up descriptor inherited from the process that forked us."""
    signal.set_wakeup_fd(-1)
    for name in _INHERITED + ('SIGINT', 'SIGTERM', 'SIGCHLD'):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


def wake_pipe():
    """A pipe that every handled signal writes to, so that a select on it returns.

    :returns: the descriptor to wait on
    """
    reader, writer = os.pipe()
    for descriptor in (reader, writer):
        fcntl.fcntl(descriptor, fcntl.F_SETFL,
                    fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_NONBLOCK)
        fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.fcntl(descriptor, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)
    signal.set_wakeup_fd(writer)
    return reader


def send(pid, signal_number):
    """Send a signal to a child of ours that may have ended."""
    try:
        os.kill(pid, signal_number)
    except OSError:
        pass  # it has ended; the next reap says so


def reap(pid):
    """How a child ended, in words, with its exit code (negative: a signal); None while it lives."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except OSError:
        return "vanished", 0
    if not found:
        return None
    if os.WIFSIGNALED(status):
        return "killed by signal %d" % os.WTERMSIG(status), -os.WTERMSIG(status)
    return "exit code %d" % os.WEXITSTATUS(status), os.WEXITSTATUS(status)


def resident_bytes(pid='self'):
    """Resident memory of a process, 0 when it has ended."""
    try:
        with open('/proc/%s/statm' % pid) as source:
            return int(source.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
    except (IOError, OSError):
        return 0
