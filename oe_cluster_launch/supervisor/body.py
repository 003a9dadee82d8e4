# -*- coding: utf-8 -*-
"""The body of a request, read to its end before OpenERP sees the request.

So a slow client holds no transaction open, a broken upload never reaches
OpenERP by half, a chunked body has a length (OpenERP insists on one), and
the limit holds for it too. Small bodies stay in memory, large ones on disk.
"""
import io
import tempfile

from gunicorn.http.errors import ChunkMissingTerminator, InvalidChunkSize, NoMoreData

from oe_cluster_launch.supervisor.guard import Refused, too_large

#: larger bodies go to a temporary file
IN_MEMORY_BYTES = 1 << 20
_PIECE_BYTES = 1 << 16


class ClientGone(Exception):
    """The client closed the connection, or sent nothing for client_timeout."""


def buffer_body(stream, expected, limit_body):
    """Read all of `stream`.

    :param expected: the length the head has announced, or None for a chunked body
    :returns: (file-like object at its start, length)
    :raises Refused: larger than `limit_body`
    :raises ClientGone: it ended too early
    """
    if expected is not None and expected <= IN_MEMORY_BYTES and not (limit_body and expected > limit_body):
        return _small_body(stream, expected), expected
    spool = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
    length = 0
    try:
        while expected is None or length < expected:
            piece = _read(stream, _PIECE_BYTES if expected is None
                          else min(_PIECE_BYTES, expected - length))
            if not piece:
                break
            length += len(piece)
            if limit_body and length > limit_body:
                raise too_large(limit_body)
            spool.write(piece)
        if expected is not None and length < expected:
            raise _incomplete(length, expected)
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return spool, length


def _small_body(stream, expected):
    data = _read(stream, expected)
    while len(data) < expected:
        piece = _read(stream, expected - len(data))
        if not piece:
            raise _incomplete(len(data), expected)
        data += piece
    return io.BytesIO(data)


def _incomplete(length, expected):
    return ClientGone("sent %d of %d bytes" % (length, expected))


def _read(stream, size):
    try:
        return stream.read(size)
    except NoMoreData:
        raise ClientGone("its body ends too early")
    except (ChunkMissingTerminator, InvalidChunkSize, ValueError):
        raise Refused('400 Bad Request', "The chunked body is broken.")
