# -*- coding: utf-8 -*-
"""The client's end of one connection, as gunicorn reads and writes it. In an HTTP worker.

Waiting is left to the kernel, which counts the time: no poll() before each
call. And each answer leaves in as few packets as can be, for each one wakes
nginx: its head with the first piece of its body, its last piece with the end
of the connection.
"""
import errno
import socket
import struct

#: a larger piece is not copied to stand behind the head
JOINED_BYTES = 64 << 10
#: more follows at once, at least the end: a packet may wait for it. Not every Python names it
MSG_MORE = getattr(socket, 'MSG_MORE', 0x8000)


def timeval(seconds):
    """A span as the kernel wants it."""
    return struct.pack('ll', int(seconds), int(seconds % 1 * 1e6))


class Client(object):
    """What gunicorn's RequestParser and Response need of a socket.

    The first thing sent is an answer's head: it waits for the second.

    :ivar raw: the socket itself
    :ivar ending: what is sent next is the last; who says so closes the socket right after it
    """

    def __init__(self, raw, span):
        """:param span: with no byte received, or none taken, in so long a call fails; see timeval()"""
        self.raw = raw
        self.ending = False
        self._held = None
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, span)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, span)

    def recv(self, size):
        """What has come. A signal interrupts a call whose time the kernel counts: it is made again."""
        while True:
            try:
                return self.raw.recv(size)
            except EnvironmentError as error:
                if error.errno != errno.EINTR:
                    raise

    def sendall(self, data):
        if self._held is None:
            self._held = data
        elif self._held and len(data) <= JOINED_BYTES:
            data, self._held = self._held + data, b''
            self._send(data)
        else:
            self._send_held(MSG_MORE)
            self._send(data)

    def flush(self):
        """Send a head that still waits: the answer has no body."""
        self._send_held(MSG_MORE if self.ending else 0)

    def send(self, data):
        """Before the head: `100 Continue`, which must not wait."""
        return self.raw.send(data)

    def _send(self, data):
        self.raw.sendall(data, MSG_MORE if self.ending else 0)

    def _send_held(self, flags):
        if self._held:
            held, self._held = self._held, b''
            self.raw.sendall(held, flags)
