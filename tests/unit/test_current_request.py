# -*- coding: utf-8 -*-
"""The name of a request: ids, sentences, and what the host adds."""
import json
import os
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


def test_ids_are_different_in_every_process():
    ids = [current_request.new_request_id() for _ in range(3)]
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, ' '.join(current_request.new_request_id() for _ in range(3)).encode('ascii'))
        os._exit(0)
    os.waitpid(child, 0)
    ids += os.read(reading, 1000).decode('ascii').split(' ')
    ids += [current_request.new_request_id() for _ in range(3)]
    assert len(set(ids)) == 9 and len(set(each[:16] for each in ids)) == 2
    assert all(re.match('^[0-9a-f]{32}$', each) for each in ids)
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize('value', [None, 7, 1 << 70, True, 1.5, u'd\xe9"', 'a\nb', ['list'], {'a': None}])
def test_whatever_a_client_calls_is_written_down_as_json(value):
    request = CurrentRequest('POST', '/x', 'r1')
    request.name_call(database='d', uid=value, model=value, call=value)
    told = json.loads(request.as_json())
    assert told['uid'] == told['model'] == told['method'] == value and told['db'] == 'd'


def test_a_request_tells_what_is_known_of_it_and_says_when_it_knows_more():
    told = []
    request = CurrentRequest('POST', '/xmlrpc/object', 'r1', on_named=told.append)
    assert str(request) == 'POST /xmlrpc/object (request r1)'
    request.name_call(database='d', uid=7, model='res.partner', call='read')
    assert str(request) == 'POST /xmlrpc/object (database d, user 7, res.partner.read, request r1)'
    assert told == [request] and json.loads(request.as_json()) == request.fields()


@pytest.mark.parametrize('path, shown', [
    ('/web/webclient/home', '/web/webclient/home'), ("/a:b@c;d=1,(2)!~*'$&+", "/a:b@c;d=1,(2)!~*'$&+"),
    (b'/\xff\xc3\xa9'.decode('latin-1'), '/%FF%C3%A9'), ('/a\nb c"', '/a%0Ab%20c%22')])
def test_a_path_is_shown_as_in_a_url(path, shown):
    request = CurrentRequest('GET', path.encode('latin-1') if str is bytes else path, 'r1')
    assert request.path == shown and str(request) == 'GET %s (request r1)' % shown
    assert json.loads(request.as_json()) == request.fields()


def test_what_a_client_calls_breaks_no_line():
    request = CurrentRequest('POST', '/x', 'r1')
    request.name_call(database=u'd\xe9', model=u'a\nb', call='c\x1b[0m')
    assert u'%s' % current_request.sentence(request.fields()) == \
        u'POST /x (database d\xe9, a?b.c?[0m, request r1)'


def test_a_thread_that_a_request_starts_is_not_that_request():
    current_request.begin(CurrentRequest('GET', '/'))
    seen = []
    thread = threading.Thread(target=lambda: seen.append(current_request.current()))
    thread.start()
    thread.join()
    assert seen == [None] and current_request.current() is not None
    current_request.end()
    assert current_request.current() is None
