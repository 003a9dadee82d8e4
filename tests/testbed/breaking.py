# -*- coding: utf-8 -*-
"""A server that takes each request whole and breaks off without an answer.

What a node does that is killed in the middle of a request; here it can be counted.
"""
import socket
import threading


class BreakingServer(object):
    """`port`, and `requests`: the first line of everything that came."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.bind(('127.0.0.1', 0))
        self._listener.listen(16)
        self.port = self._listener.getsockname()[1]
        self.requests = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.daemon = True
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            stream = connection.makefile('rb')
            self.requests.append(stream.readline().decode('latin-1').strip())
            length = 0
            for line in iter(stream.readline, b'\r\n'):
                if line.lower().startswith(b'content-length:'):
                    length = int(line.split(b':')[1])
            stream.read(length)
            stream.close()
            connection.close()

    def close(self):
        """Refuse what comes from now on."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
