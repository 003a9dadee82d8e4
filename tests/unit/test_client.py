# -*- coding: utf-8 -*-
"""What a client gets leaves in few packets, and it has as much time as it is given."""
import os
import signal
import socket
import threading
import time

import pytest
from gunicorn.config import Config

from oe_cluster_launch.supervisor import client as client_module
from oe_cluster_launch.supervisor.client import MSG_MORE, Client, request_parser, timeval


class Recorder(object):
    """A socket that notes each system call that sends."""

    def __init__(self, raw):
        self._raw = raw
        self.calls = []

    def sendall(self, data, flags=0):
        self.calls.append((data, flags))
        self._raw.sendall(data, flags)

    def __getattr__(self, name):
        return getattr(self._raw, name)


@pytest.fixture
def ends():
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(1)
    theirs = socket.create_connection(listener.getsockname())
    ours = listener.accept()[0]
    yield Recorder(ours), theirs
    for each in (ours, theirs, listener):
        each.close()


@pytest.mark.parametrize('size', [1, 7, 50, 10000])
def test_a_request_is_understood_however_it_is_cut(ends, size):
    ours, theirs = ends
    sent = b'POST /path HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n0123456789rest'
    for start in range(0, len(sent), size):
        theirs.sendall(sent[start:start + size])
        theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    theirs.shutdown(socket.SHUT_WR)
    connection = Client(ours, timeval(5))
    connection.recv = lambda _wanted: ours.recv(size)
    parser = request_parser(Config(), connection)
    head = next(parser)
    assert (head.method, head.path, dict(head.headers)['CONTENT-LENGTH']) == ('POST', '/path', '10')
    assert head.body.read(4) + head.body.read(6) + head.body.read(1) == b'0123456789'
    rest = b''
    while len(rest) < 4:
        rest += parser.unreader.read()
    assert rest == b'rest' and parser.unreader.read() == b''


def test_head_and_first_piece_are_one_call(ends):
    raw, other = ends
    client = Client(raw, timeval(5))
    client.sendall(b'head ')
    assert raw.calls == []
    client.sendall(b'one ')
    client.ending = True
    client.sendall(b'two')
    client.flush()
    assert raw.calls == [(b'head one ', 0), (b'two', MSG_MORE)]
    raw.close()
    assert read_all(other) == b'head one two'


def read_all(connection):
    found = b''
    while True:
        read = connection.recv(100)
        if not read:
            return found
        found += read


def test_the_last_piece_waits_for_the_end_of_the_connection(ends):
    raw, other = ends
    client = Client(raw, timeval(5))
    client.ending = True
    client.sendall(b'head')
    client.sendall(b'body')
    other.setblocking(0)
    with pytest.raises(socket.error):
        other.recv(100)
    raw.close()
    other.setblocking(1)
    assert other.recv(100) == b'headbody'


def test_a_head_without_body_is_sent_by_flush_and_once(ends):
    raw, other = ends
    client = Client(raw, timeval(5))
    client.sendall(b'head')
    client.flush()
    client.flush()
    assert raw.calls == [(b'head', 0)] and other.recv(100) == b'head'


def test_a_large_piece_is_not_copied(ends, monkeypatch):
    monkeypatch.setattr(client_module, 'JOINED_BYTES', 3)
    raw, other = ends
    client = Client(raw, timeval(5))
    client.sendall(b'head')
    client.sendall(b'more')
    assert raw.calls == [(b'head', MSG_MORE), (b'more', 0)] and other.recv(100) == b'headmore'


def test_who_sends_or_takes_nothing_in_time_is_given_up(ends):
    raw, _other = ends
    client = Client(raw, timeval(0.05))
    with pytest.raises(EnvironmentError):
        client.recv(1)
    with pytest.raises(EnvironmentError):
        for _ in range(100):
            client.sendall(b'x' * (1 << 20))


def test_a_signal_does_not_end_the_wait_for_a_client(ends):
    raw, other = ends
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    try:
        client = Client(raw, timeval(20))

        def disturb():
            time.sleep(0.1)  # it waits by then
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.1)
            other.sendall(b'late')
        thread = threading.Thread(target=disturb)
        thread.start()
        assert client.recv(100) == b'late' and seen == [signal.SIGUSR1]
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
