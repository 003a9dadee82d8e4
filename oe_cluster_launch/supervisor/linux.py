# -*- coding: utf-8 -*-
"""What the Linux kernel does for a supervisor and Python 2.7 has no name for.

Each function is one system call, or one option of a socket, and works in any
process. Nothing here knows what a node or a request is.
"""
import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import termios
import time

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_SO_BINDTOIFINDEX = 62
_NO_INTERFACE = 0x7fffffff
_TCP_INFO = 11
#: struct tcp_info: 8 bytes, then 32-bit numbers; on a listening socket the fifth
#: is the number of connections that wait to be accepted, the sixth how many can
_TCP_INFO_QUEUED_OFFSET = 8 + 4 * 4
_SIGSET_BYTES = 128
_PAGE_BYTES = os.sysconf('SC_PAGE_SIZE')


class _Timespec(ctypes.Structure):
    _fields_ = [('seconds', ctypes.c_long), ('nanoseconds', ctypes.c_long)]


def die_with_parent(parent_pid):
    """Ask the kernel to kill this process when its parent ends, however that ends.

    Called in the child, first thing after the fork. The parent may be gone
    before the kernel was asked, hence the look at getppid:
        t0 child forked - t1 parent killed - t2 child asks, and nothing will come
    """
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def _signal_set(numbers):
    signals = ctypes.create_string_buffer(_SIGSET_BYTES)
    _libc.sigemptyset(signals)
    for number in numbers:
        _libc.sigaddset(signals, int(number))
    return signals


def block_signals(*numbers):
    """Block signals in the calling thread and the threads it starts."""
    _libc.pthread_sigmask(0, _signal_set(numbers), None)


def leave_signals_to_main_thread():
    """In another thread: its system calls are not interrupted by what is meant for the main one."""
    block_signals(*[number for number in range(1, signal.NSIG)
                    if number not in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE)])


def unblock_signals(*numbers):
    """Let blocked signals reach the calling thread again."""
    _libc.pthread_sigmask(1, _signal_set(numbers), None)


def wait_for_signal(numbers, timeout_seconds):
    """Wait for one of some blocked signals; its number, or None when none came in time.

    Unlike a handler this works in any thread, also while the main thread is
    inside a C function.
    """
    wait = _Timespec(int(timeout_seconds), int(timeout_seconds % 1 * 1e9))
    got = _libc.sigtimedwait(_signal_set(numbers), None, ctypes.byref(wait))
    if got < 0 and ctypes.get_errno() == errno.EINTR:
        time.sleep(0.01)
    return got if got > 0 else None


def refuse_new_connections(listener):
    """Let a listening TCP socket refuse new connections, and keep those it has.

    Closing it would reset the connections that the kernel has accepted and no
    worker has taken yet, with the requests already sent on them. Bound to a
    network interface that does not exist it is found by no new SYN, which the
    kernel then answers with a refusal; handshakes that have begun go on.

    :returns: False when the kernel (before Linux 5.7) does not let us
    """
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX, _NO_INTERFACE)
    except (socket.error, OSError):
        return False
    return True


def queued_connections(listener):
    """How many connections of a listening TCP socket wait to be accepted."""
    return queue_of(listener)[0]


def queue_of(listener):
    """(how many connections of a listening TCP socket wait to be accepted, how many can)."""
    info = listener.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _TCP_INFO_QUEUED_OFFSET + 8)
    return struct.unpack_from('II', info, _TCP_INFO_QUEUED_OFFSET)


def resident_bytes(pid='self'):
    """Resident memory of a process."""
    return _statm(pid, 1)


def close_on_exec(descriptor):
    """Keep it from programs this process starts. One system call; asking and setting its flags is two."""
    fcntl.ioctl(descriptor, termios.FIOCLEX)


def data_bytes(pid='self'):
    """Private writable memory of a process: what RLIMIT_DATA counts."""
    return _statm(pid, 5)


def _statm(pid, field):
    """One field of /proc/PID/statm, in bytes. Three system calls; a file object makes twenty-five."""
    descriptor = os.open('/proc/%s/statm' % pid, os.O_RDONLY)
    try:
        return int(os.read(descriptor, 128).split()[field]) * _PAGE_BYTES
    finally:
        os.close(descriptor)
