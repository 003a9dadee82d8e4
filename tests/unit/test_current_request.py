# -*- coding: utf-8 -*-
"""The name of a request: ids, sentences, and what the host adds."""
import re
import threading

import pytest

from oe_cluster_launch import current_request
from oe_cluster_launch.current_request import CurrentRequest


@pytest.mark.parametrize('text', ['abc', 'A-1.2_3', '1-5759e988-bd862e3fe1be46a994272793', 'x' * 128])
def test_a_decent_request_id_is_taken(text):
    assert current_request.accepted_request_id(text) == text


@pytest.mark.parametrize('text', [None, '', 'a b', 'a"b', 'a\nb', 'x' * 129, u'\xe9'])
def test_any_other_is_replaced(text):
    assert re.match('^[0-9a-f]{32}$', current_request.accepted_request_id(text))


def test_a_request_tells_what_is_known_of_it_and_says_when_it_knows_more():
    told = []
    request = CurrentRequest('POST', '/xmlrpc/object', 'r1', on_named=told.append)
    assert str(request) == 'POST /xmlrpc/object (request r1)'
    request.name_call(database='d', uid=7, model='res.partner', call='read')
    assert str(request) == 'POST /xmlrpc/object (database d, user 7, res.partner.read, request r1)'
    assert told == [request]


def test_a_thread_that_a_request_starts_is_not_that_request():
    current_request.begin(CurrentRequest('GET', '/'))
    seen = []
    thread = threading.Thread(target=lambda: seen.append(current_request.current()))
    thread.start()
    thread.join()
    assert seen == [None] and current_request.current() is not None
    current_request.end()
    assert current_request.current() is None
