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

from gunicorn.http.unreader import SocketUnreader

from oe_cluster_launch.compat import argument_names
from oe_cluster_launch.supervisor import guard

#: at most so much is read at once
_READ_BYTES = 8192
#: gunicorn 19 does (see Incoming); later versions have another interface there
_KEEPS_A_FILE = argument_names(SocketUnreader.read) == ['self', 'size']
#: a larger piece is not copied to stand behind the head
JOINED_BYTES = 64 << 10
#: more follows at once, at least the end: a packet may wait for it. Not every Python names it
MSG_MORE = getattr(socket, 'MSG_MORE', 0x8000)


def timeval(seconds):
    """A span as the kernel wants it."""
    return struct.pack('ll', int(seconds), int(seconds % 1 * 1e6))


def request_parser(cfg, client):
    """gunicorn's parser of what a :class:`Client` sends."""
    parser = guard.parser(cfg, client)
    if _KEEPS_A_FILE:
        parser.unreader = Incoming(client)
    return parser


class Incoming(object):
    """What was read of a connection and not used yet, as the parser and bodies of gunicorn 19 want it.

    It keeps that in a file object written in Python.
    """

    def __init__(self, client):
        self._client = client
        self._kept = b''

    def read(self):
        """What was put back, else what comes next; nothing at the end."""
        kept, self._kept = self._kept, b''
        return kept or self._client.recv(_READ_BYTES)

    def unread(self, data):
        """Put it behind what was put back before."""
        self._kept += data


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
