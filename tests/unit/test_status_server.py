# -*- coding: utf-8 -*-
"""The status port's server over real sockets: who is slow holds up only himself."""
import select
import socket
import threading
import time

import pytest

from oe_cluster_launch.health.endpoints import Answer, Endpoints
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.supervisor import status_server
from oe_cluster_launch.supervisor.status_routes import StatusRoutes

#: more than the kernel buffers between two sockets
LARGE = 32 << 20


class Node(object):
    name = 'a'
    settings = load_settings().replace(redis_url='unix:///nowhere/redis.sock')


class Serving(object):
    """A server in a thread of its own, as the answerer's main loop drives it."""

    def __init__(self):
        listener = socket.socket()
        listener.bind(('127.0.0.1', 0))
        listener.listen(64)
        listener.setblocking(0)
        self.port = listener.getsockname()[1]
        self.hold, self.began = threading.Event(), threading.Semaphore(0)
        endpoints = Endpoints(load_settings().status_networks)
        endpoints.add('/_cluster/quick', lambda environ: Answer('200 OK', 'text/plain', 'quick'), quick=True)
        endpoints.add('/_cluster/slow', self.slow)
        endpoints.add('/_cluster/large', lambda environ: Answer('200 OK', 'text/plain', 'x' * LARGE))
        StatusRoutes(Node()).add_to(endpoints)
        self.server = status_server.StatusServer(listener, endpoints)
        self.ended = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def slow(self, environ):
        self.began.release()
        self.hold.wait(30)
        return Answer('200 OK', 'text/plain', 'slow')

    def run(self):
        while not self.ended:
            self.server.turn(select.select(self.server.descriptors(), [], [], 0.02)[0])
        self.server.finish(5)

    def connect(self, request=b''):
        client = socket.create_connection(('127.0.0.1', self.port), timeout=10)
        client.sendall(request)
        return client

    def ask(self, path):
        return everything(self.connect(get(path)))

    def end(self):
        self.ended = True
        self.thread.join(10)


def get(path):
    return ('GET %s HTTP/1.1\r\nHost: x\r\n\r\n' % path).encode('ascii')


def everything(client):
    read = b''
    for piece in iter(lambda: client.recv(65536), b''):
        read += piece
    client.close()
    return read


@pytest.fixture
def serving():
    made = Serving()
    yield made
    made.hold.set()
    made.end()


def test_quick_answers_wait_for_no_slow_one(serving):
    clients = [serving.connect(get('/_cluster/slow')) for _ in range(status_server.THREADS + 3)]
    for _ in range(status_server.THREADS):
        serving.began.acquire()
    assert serving.ask('/_cluster/quick').endswith(b'quick'), "while every thread is held up"
    serving.hold.set()
    for client in clients:
        assert everything(client).endswith(b'slow')


def test_who_takes_nothing_is_cut_off(serving, monkeypatch):
    monkeypatch.setattr(status_server, 'PATIENCE_SECONDS', 0.3)
    clients = [serving.connect(get('/_cluster/large')) for _ in range(status_server.THREADS)]
    time.sleep(1.0)
    for client in clients:
        assert len(everything(client)) < LARGE
    serving.hold.set()
    assert serving.ask('/_cluster/slow').endswith(b'slow'), "the threads are free again"


def test_at_the_end_whoever_was_taken_is_answered(serving):
    waiting = serving.connect(get('/_cluster/slow'))
    serving.began.acquire()
    half = serving.connect(b'GET /_cluster/quick HT')
    assert serving.ask('/_cluster/quick')  # so that both have been taken
    serving.ended = True
    time.sleep(0.1)
    half.sendall(b'TP/1.1\r\nHost: x\r\n\r\n')
    serving.hold.set()
    assert everything(half).endswith(b'quick') and everything(waiting).endswith(b'slow')
    with pytest.raises(EnvironmentError):
        serving.connect()


def test_page_and_json_are_served_without_redis_too(serving):
    page = serving.ask('/_cluster/')
    assert b' 200 OK' in page and b'Redis at' in page and b'</html>' in page
    assert b"Content-Security-Policy: default-src 'none'; style-src 'sha256-" in page
    assert b'"error": "Redis at' in serving.ask('/_cluster/status')
