# -*- coding: utf-8 -*-
"""A client's socket that sends an answer's head together with the first piece of its body.

gunicorn writes them one after the other: two system calls, two packets and two
wake-ups of nginx where one does. In an HTTP worker, one per connection.
"""

#: a larger piece is not copied to stand behind the head
JOINED_BYTES = 64 << 10


class HeldHead(object):
    """What gunicorn's Response needs of a socket. The first thing sent waits for the second.

    :ivar raw: the socket itself
    """

    def __init__(self, raw):
        self.raw = raw
        self._held = None

    def sendall(self, data):
        if self._held is None:
            self._held = data
        elif self._held and len(data) <= JOINED_BYTES:
            data, self._held = self._held + data, b''
            self.raw.sendall(data)
        else:
            self.flush()
            self.raw.sendall(data)

    def flush(self):
        """Send a head that still waits: the answer has no body."""
        if self._held:
            held, self._held = self._held, b''
            self.raw.sendall(held)

    def send(self, data):
        """Before the head: `100 Continue`, which must not wait."""
        return self.raw.send(data)

    def fileno(self):
        """For a file that the kernel sends, past this object (gunicorn before 20)."""
        self.flush()
        return self.raw.fileno()

    def sendfile(self, *arguments, **options):
        """As above (gunicorn 20 and later)."""
        self.flush()
        return self.raw.sendfile(*arguments, **options)
