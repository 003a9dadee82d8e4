# -*- coding: utf-8 -*-
"""An answer's body, piece by piece. In an HTTP worker."""

#: a file is read and sent in pieces of that size
FILE_PIECE_BYTES = 256 << 10


class Peeked(object):
    """An answer made piece by piece, its first piece made already, under the limits."""

    def __init__(self, pieces):
        self._pieces = pieces
        self._iterator = iter(pieces)
        self._first = next(self._iterator, None)

    def __iter__(self):
        if self._first is not None:
            yield self._first
            for piece in self._iterator:
                yield piece

    def close(self):
        if hasattr(self._pieces, 'close'):
            self._pieces.close()


def pieces_of_file(stream):
    """A file, read and written piece by piece: gunicorn's sendfile() breaks off where it has to wait."""
    while True:
        piece = stream.read(FILE_PIECE_BYTES)
        if not piece:
            return
        yield piece
