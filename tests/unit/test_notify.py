# -*- coding: utf-8 -*-
"""systemd's protocol, with a real datagram socket."""
import os
import socket

import pytest

from oe_cluster_launch.supervisor.notify import Notifier


@pytest.fixture
def systemd_socket(tmpdir):
    path = str(tmpdir.join('notify'))
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(path)
    receiver.setblocking(False)
    yield path, receiver
    receiver.close()


def test_variables_arrive_as_lines(systemd_socket):
    path, receiver = systemd_socket
    Notifier({'NOTIFY_SOCKET': path}).tell(READY=1, STATUS='ready')
    assert receiver.recv(100) == b'READY=1\nSTATUS=ready'


def test_a_status_is_sent_when_it_changes(systemd_socket):
    path, receiver = systemd_socket
    notifier = Notifier({'NOTIFY_SOCKET': path})
    for sentence in ('ready', 'ready', 'stopping'):
        notifier.status(sentence)
    assert [receiver.recv(100), receiver.recv(100)] == [b'STATUS=ready', b'STATUS=stopping']
    with pytest.raises((IOError, OSError)):
        receiver.recv(100)


def test_the_watchdog_is_fed_at_half_its_interval(systemd_socket):
    path, receiver = systemd_socket
    notifier = Notifier({'NOTIFY_SOCKET': path, 'WATCHDOG_USEC': '60000000'})
    assert notifier.watchdog_seconds == 30
    for _ in range(5):
        notifier.alive()
    assert receiver.recv(100) == b'WATCHDOG=1'
    with pytest.raises((IOError, OSError)):
        receiver.recv(100)


def test_a_watchdog_for_another_process_is_not_ours():
    assert Notifier({'WATCHDOG_USEC': '60000000', 'WATCHDOG_PID': '1'}).watchdog_seconds is None
    own = {'WATCHDOG_USEC': '60000000', 'WATCHDOG_PID': str(os.getpid())}
    assert Notifier(own).watchdog_seconds == 30


def test_an_abstract_socket_is_found(tmpdir):
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind('\0oe-notify-%d' % os.getpid())
    Notifier({'NOTIFY_SOCKET': '@oe-notify-%d' % os.getpid()}).tell(READY=1)
    assert receiver.recv(100) == b'READY=1'
    receiver.close()


def test_without_systemd_or_with_a_broken_one_nothing_happens(tmpdir):
    Notifier({}).tell(READY=1)
    Notifier({'NOTIFY_SOCKET': str(tmpdir.join('nobody'))}).tell(READY=1)
