# -*- coding: utf-8 -*-
"""What a server sends to Redis, as Redis itself sees it (MONITOR)."""
import socket


class Watch(object):
    """`with Watch(redis) as watch: ...; watch.sent, watch.in_scripts`: commands of the block.

    `sent` are those that clients sent, each a part of some round trip; `in_scripts` those that Lua
    scripts ran inside the server, which cost no round trip. For light load only: MONITOR is slow.
    """

    def __init__(self, redis):
        self._path = redis.socket_path
        self.sent = self.in_scripts = 0

    def __enter__(self):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(self._path)
        self._socket.sendall(b'MONITOR\r\n')
        self._lines = self._socket.makefile('rb')
        self._lines.readline()
        return self

    def __exit__(self, *_exception):
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(self._path)
            end.sendall(b'ECHO end-of-watch\r\n')
            end.recv(100)
        for line in self._lines:
            if b'end-of-watch' in line:
                break
            source = line.split(b'[', 1)[1].split(b']', 1)[0]
            if source.endswith(b' lua'):
                self.in_scripts += 1
            else:
                self.sent += 1
        self._socket.close()
