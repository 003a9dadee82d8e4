# -*- coding: utf-8 -*-
"""What we ask the kernel for, asked of the real one."""
import errno
import os
import signal
import socket
import threading
import time

import pytest

from oe_cluster_launch.supervisor import linux


@pytest.fixture
def listener():
    made = socket.socket()
    made.bind(('127.0.0.1', 0))
    made.listen(10)
    yield made
    made.close()


def connect(listener):
    return socket.create_connection(listener.getsockname(), 5)


def test_a_closed_port_refuses_at_once_and_keeps_what_waits(listener):
    waiting = [connect(listener) for _ in range(3)]
    waiting[0].sendall(b'POST')
    assert linux.queued_connections(listener) == 3
    assert linux.refuse_new_connections(listener)
    began = time.time()
    with pytest.raises((IOError, OSError)) as refused:
        connect(listener)
    assert refused.value.errno == errno.ECONNREFUSED and time.time() - began < 0.5
    taken = [listener.accept()[0] for _ in range(3)]
    assert linux.queued_connections(listener) == 0
    assert taken[0].recv(10) == b'POST'
    taken[0].sendall(b'200')
    assert waiting[0].recv(10) == b'200'
    for each in waiting + taken:
        each.close()


def test_closing_the_socket_instead_would_reset_what_waits(listener):
    """Why refuse_new_connections exists."""
    client = connect(listener)
    client.sendall(b'POST')
    listener.close()
    with pytest.raises((IOError, OSError)):
        client.recv(10) or client.sendall(b'more') or client.recv(10)
    client.close()


def test_a_blocked_signal_is_seen_by_a_thread_while_the_main_thread_is_busy():
    """In a child: blocking signals here would stay."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            linux.block_signals(signal.SIGQUIT)
            seen = []
            watcher = threading.Thread(
                target=lambda: seen.append(linux.wait_for_signal([signal.SIGQUIT], 5)))
            watcher.start()
            os.kill(os.getpid(), signal.SIGQUIT)
            watcher.join()
            code = 0 if seen == [signal.SIGQUIT] else 2
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


def test_no_signal_within_the_time_is_none():
    assert linux.wait_for_signal([signal.SIGWINCH], 0.01) is None


def family():
    """Fork a parent with a child that asks to die with it; (parent, child)."""
    reader, writer = os.pipe()
    parent = os.fork()
    if not parent:
        middle = os.getpid()
        child = os.fork()
        if not child:
            linux.die_with_parent(middle)
            os.write(writer, b'%d' % os.getpid())
        time.sleep(60)
        os._exit(0)
    child = int(os.read(reader, 20))
    os.close(reader)
    os.close(writer)
    return parent, child


def is_alive(pid):
    try:
        with open('/proc/%d/stat' % pid) as stat:
            return stat.read().rpartition(')')[2].split()[0] not in 'ZX'
    except (IOError, OSError):
        return False


def test_a_child_dies_with_its_parent_however_that_ends():
    parent, child = family()
    assert is_alive(child)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    until = time.time() + 2
    while is_alive(child) and time.time() < until:
        time.sleep(0.01)
    assert not is_alive(child)


def test_a_child_whose_parent_was_gone_before_it_asked_dies_too():
    pid = os.fork()
    if not pid:
        linux.die_with_parent(1)  # 1 is not our parent: as if ours had just ended
        time.sleep(60)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL


def test_memory_is_read_in_bytes():
    before = linux.data_bytes()
    kept = bytearray(64 << 20)
    assert linux.data_bytes() - before > 60 << 20
    assert linux.resident_bytes() > 1 << 20
    assert len(kept) == 64 << 20
