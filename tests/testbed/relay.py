# -*- coding: utf-8 -*-
"""A relay between one node and one server: paused, it is a network that swallows everything.

`python relay.py PORT TARGET` forwards loopback connections to TARGET, which is
the path of a Unix socket or a port. pause() cuts the node off without a word,
kill_all() with a reset connection. The kernel still acknowledges packets, so
TCP keepalive sees no cut; a pulled cable needs a network namespace.
"""
import os
import socket
import sys
import threading

BUFFER_BYTES = 65536


def serve(port, target):
    """Accept for ever; one thread per direction."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('127.0.0.1', port))
    listener.listen(128)
    while True:
        client, _ = listener.accept()
        server = connect(target)
        if server is None:
            client.close()
            continue
        for source, sink in ((client, server), (server, client)):
            thread = threading.Thread(target=forward, args=(source, sink))
            thread.daemon = True
            thread.start()


def connect(target):
    """A connection to the server, or None when it does not listen."""
    unix = target.startswith('/')
    server = socket.socket(socket.AF_UNIX if unix else socket.AF_INET, socket.SOCK_STREAM)
    try:
        server.connect(target if unix else ('127.0.0.1', int(target)))
    except socket.error:
        server.close()
        return None
    return server


def forward(source, sink):
    """Until either side hangs up."""
    try:
        while True:
            data = source.recv(BUFFER_BYTES)
            if not data:
                break
            sink.sendall(data)
    except socket.error:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except socket.error:
            pass


def make_relay(folder, name, target):
    """A Service; only tests import the rest of the testbed."""
    from testbed.ports import free_port
    from testbed.service import Service

    class Relay(Service):
        port = free_port()

        def command(self):
            return [sys.executable, os.path.abspath(__file__), str(self.port), target]

        def is_ready(self):
            found = connect(str(self.port))
            if found:
                found.close()
            return bool(found)
    return Relay(name, folder)


if __name__ == '__main__':
    serve(int(sys.argv[1]), sys.argv[2])
