# -*- coding: utf-8 -*-
"""A request's head and body: what is refused before the host sees it."""
import io

import pytest

from oe_cluster_launch.supervisor import body, guard

POST = [('HOST', 'x'), ('CONTENT-LENGTH', '5')]


def refusal(method='POST', version=(1, 1), headers=POST, limit_body=100):
    with pytest.raises(guard.Refused) as refused:
        guard.check_head(method, version, headers, limit_body)
    return refused.value.status.split()[0]


@pytest.mark.parametrize('headers', [
    [('TRANSFER-ENCODING', 'chunked'), ('CONTENT-LENGTH', '5')],
    [('CONTENT-LENGTH', '5'), ('TRANSFER-ENCODING', 'chunked')],
    [('TRANSFER-ENCODING', 'gzip, chunked')],
    [('TRANSFER-ENCODING', 'chunked, identity')],
    [('TRANSFER-ENCODING', 'Chunked')],
    [('TRANSFER-ENCODING', 'xchunked')],
    [('TRANSFER-ENCODING', '')],
    [('TRANSFER-ENCODING', 'chunked'), ('TRANSFER-ENCODING', 'chunked')],
    [('CONTENT-LENGTH', '5'), ('CONTENT-LENGTH', '5')],
    [('CONTENT-LENGTH', '+5')],
    [('CONTENT-LENGTH', '-5')],
    [('CONTENT-LENGTH', '5_0')],
    [('CONTENT-LENGTH', '0x5')],
    [('CONTENT-LENGTH', '')],
    [('CONTENT-LENGTH', '5'), ('X', 'a\r\n b')],
    [('CONTENT-LENGTH', '5'), ('X', 'a\nb: c')],
    [('CONTENT-LENGTH', '5'), ('X', 'a\0b')],
])
def test_what_can_be_read_in_two_ways_is_refused(headers):
    assert refusal(headers=headers) == '400'


def test_transfer_encoding_in_http_1_0_is_refused():
    assert refusal(version=(1, 0), headers=[('TRANSFER-ENCODING', 'chunked')]) == '400'


@pytest.mark.parametrize('method', ['get', 'GE T', 'G-T', ''])
def test_a_method_is_a_word_in_capitals(method):
    assert refusal(method=method) == '400'


def test_other_versions_of_http_are_not_spoken():
    assert refusal(version=(2, 0)) == '505'


def test_a_post_without_a_length_is_told_so():
    assert refusal(headers=[('HOST', 'x')]) == '411'


def test_an_announced_body_over_the_limit_is_refused_unread():
    assert refusal(headers=[('CONTENT-LENGTH', '101')]) == '413'
    guard.check_head('POST', (1, 1), [('CONTENT-LENGTH', '100')], 100)
    guard.check_head('POST', (1, 1), [('CONTENT-LENGTH', '101')], 0)


def test_ordinary_requests_pass():
    guard.check_head('GET', (1, 1), [('HOST', 'x')], 100)
    guard.check_head('PROPFIND', (1, 1), [('HOST', 'x')], 100)
    guard.check_head('POST', (1, 1), [('TRANSFER-ENCODING', 'chunked')], 100)


def test_headers_that_only_differ_in_an_underscore_are_dropped():
    headers = [('X-FORWARDED-FOR', '1.1.1.1'), ('X_FORWARDED_FOR', '2.2.2.2')]
    assert guard.without_underscores(headers) == headers[:1]


def test_a_body_is_read_to_its_announced_length_and_no_further():
    spool, length = body.buffer_body(io.BytesIO(b'hello world'), 5, 100)
    assert (spool.read(), length) == (b'hello', 5)


def test_a_chunked_body_is_read_to_its_end_and_counted():
    spool, length = body.buffer_body(io.BytesIO(b'hello world'), None, 100)
    assert (spool.read(), length) == (b'hello world', 11)


def test_the_limit_holds_for_a_body_that_announces_no_length():
    with pytest.raises(guard.Refused) as refused:
        body.buffer_body(io.BytesIO(b'x' * 101), None, 100)
    assert refused.value.status.startswith('413')


def test_a_body_that_ends_too_early_is_a_client_that_is_gone():
    with pytest.raises(body.ClientGone):
        body.buffer_body(io.BytesIO(b'hell'), 5, 100)


class InPieces(object):
    """A body that comes a little at a time."""

    def __init__(self, data):
        self._rest = io.BytesIO(data)

    def read(self, size):
        return self._rest.read(min(size, 60000))


@pytest.mark.parametrize('length', [0, 1, 60001, body.IN_MEMORY_BYTES, body.IN_MEMORY_BYTES + 1])
def test_a_body_of_any_size_comes_whole_and_can_be_read_line_by_line(length):
    sent = (b'0123456\n' * (length // 8 + 1))[:length]
    kept, counted = body.buffer_body(InPieces(sent + b'not of this body'), length, 0)
    assert counted == length and kept.readline() == sent[:8] and kept.read() == sent[8:]
    kept.close()
    with pytest.raises(body.ClientGone):
        body.buffer_body(InPieces(sent), length + 1, 0)


def test_broken_chunks_are_refused():
    class Broken(object):
        def read(self, size):
            raise ValueError('chunk')
    with pytest.raises(guard.Refused):
        body.buffer_body(Broken(), None, 100)
