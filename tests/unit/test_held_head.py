# -*- coding: utf-8 -*-
"""An answer's head leaves with the first piece of its body, in one system call."""
import socket

import pytest

from oe_cluster_launch.supervisor import held_head
from oe_cluster_launch.supervisor.held_head import HeldHead


class Recorder(object):
    """A socket that notes each system call that sends."""

    def __init__(self, raw):
        self._raw = raw
        self.calls = []

    def sendall(self, data):
        self.calls.append(data)
        self._raw.sendall(data)

    def fileno(self):
        return self._raw.fileno()


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    yield Recorder(ours), theirs
    ours.close()
    theirs.close()


def test_head_and_first_piece_are_one_call(ends):
    client, other = ends
    held = HeldHead(client)
    held.sendall(b'head ')
    assert client.calls == []
    held.sendall(b'one ')
    held.sendall(b'two')
    held.flush()
    assert client.calls == [b'head one ', b'two']
    assert other.recv(100) == b'head one two'


def test_a_head_without_body_is_sent_by_flush_and_once(ends):
    client, other = ends
    held = HeldHead(client)
    held.sendall(b'head')
    held.flush()
    held.flush()
    assert client.calls == [b'head'] and other.recv(100) == b'head'


def test_a_large_piece_is_not_copied(ends, monkeypatch):
    monkeypatch.setattr(held_head, 'JOINED_BYTES', 3)
    client, other = ends
    held = HeldHead(client)
    held.sendall(b'head')
    held.sendall(b'more')
    assert client.calls == [b'head', b'more'] and other.recv(100) == b'headmore'


def test_what_writes_past_it_finds_the_head_sent(ends):
    client, other = ends
    held = HeldHead(client)
    held.sendall(b'head')
    assert held.fileno() == client.fileno()
    assert other.recv(100) == b'head'
