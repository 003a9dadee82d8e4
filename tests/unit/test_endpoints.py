# -*- coding: utf-8 -*-
"""Who may ask what, and the addresses of the status port. Pure functions, as tables."""
import pytest

from oe_cluster_launch.health.address import faults, status_address
from oe_cluster_launch.health.document import check, document
from oe_cluster_launch.health.endpoints import Answer, Endpoints
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.settings.kinds import Network


def networks(*texts):
    return [Network().parse(text) for text in texts]


def ask(endpoints, path='/_cluster/x', peer='127.0.0.1', method='GET', **headers):
    """(status, headers, body)"""
    environ = dict({'PATH_INFO': path, 'REQUEST_METHOD': method, 'REMOTE_ADDR': peer}, **headers)
    told = []
    body = endpoints(environ, lambda status, headers: told.append((status, dict(headers))))
    return told[0] + (b''.join(body),)


@pytest.fixture
def endpoints():
    made = Endpoints(load_settings().status_networks, networks('203.0.113.80'))
    made.add('/_cluster/x', lambda environ: Answer('200 OK', 'text/plain', u'\u00e9'), quick=True)
    made.add('/_cluster/broken', lambda environ: 1 / 0)
    return made


@pytest.mark.parametrize('peer, headers, status', [
    ('127.0.0.1', {}, 200), ('10.3.4.5', {}, 200), ('172.31.0.1', {}, 200), ('::1', {}, 200),
    ('fd12::1', {}, 200), ('::ffff:192.168.0.9', {}, 200),
    ('', {}, 200),                                                        # a Unix socket
    ('203.0.113.9', {}, 403), ('172.32.0.1', {}, 403), ('2001:db8::1', {}, 403), ('nonsense', {}, 403),
    ('127.0.0.1', {'HTTP_X_FORWARDED_FOR': '203.0.113.9'}, 403),          # nginx passed a stranger on
    ('127.0.0.1', {'HTTP_X_FORWARDED_FOR': '10.0.0.1, 203.0.113.9'}, 403),
    ('127.0.0.1', {'HTTP_X_FORWARDED_FOR': '203.0.113.9, 10.0.0.1'}, 200),
    ('203.0.113.9', {'HTTP_X_FORWARDED_FOR': '127.0.0.1'}, 403),          # a stranger who lies
    ('203.0.113.80', {'HTTP_X_FORWARDED_FOR': '10.0.0.1'}, 403),          # REMOTE_ADDR says the peer, too
    ('10.0.0.1', {'oe_cluster.peer': '203.0.113.80'}, 200),               # behind a trusted proxy
    ('10.0.0.1', {'oe_cluster.peer': '203.0.113.81'}, 403),
    ('203.0.113.9', {'oe_cluster.peer': '127.0.0.1'}, 403),
])
def test_both_the_peer_and_its_client_must_be_in_the_networks(endpoints, peer, headers, status):
    assert int(ask(endpoints, peer=peer, **headers)[0][:3]) == status


def test_what_is_answered(endpoints):
    status, headers, body = ask(endpoints)
    assert (status, body, headers['Content-Length']) == ('200 OK', u'\u00e9'.encode('utf-8'), '2')
    assert headers['Content-Security-Policy'].startswith("default-src 'none'")
    assert ask(endpoints, method='HEAD')[1:] == (headers, b'')
    assert ask(endpoints, '/_cluster/y')[0].startswith('404')
    assert ask(endpoints, '/_cluster/broken')[0].startswith('500')
    assert ask(endpoints, method='POST')[0].startswith('405')


@pytest.mark.parametrize('path, ours, quick', [
    ('/_cluster/x', True, True), ('/_cluster/broken', True, False), ('/_cluster/else', True, True),
    ('/_cluster', True, True), ('/_clusters', False, True), ('/web', False, True),
])
def test_which_paths_are_ours_and_which_wait_for_nothing(endpoints, path, ours, quick):
    assert (endpoints.answers(path), endpoints.is_quick(path)) == (ours, quick)


@pytest.mark.parametrize('changes, expected', [
    ({}, ('0.0.0.0', 9069)), ({'status_port': 0}, None), ({'status_port': 9100}, ('0.0.0.0', 9100)),
    ({'status_interface': '10.0.0.1'}, ('10.0.0.1', 9069)),
])
def test_where_the_status_port_is(changes, expected):
    settings = load_settings().replace(**changes)
    assert status_address(settings, ('0.0.0.0', 8069)) == expected
    assert faults(settings, ('0.0.0.0', 8069)) == []


@pytest.mark.parametrize('changes, main', [({'status_port': 8069}, 8069), ({}, 65000)])
def test_a_status_port_that_cannot_be_is_named(changes, main):
    assert [fault.key for fault in faults(load_settings().replace(**changes), ('', main))] == ['status_port']


def test_the_worst_check_is_the_status_and_says_why():
    found = document('a', '1', [check('x:y', 'pass', 'component', 1, output="not said"),
                                check('p:q', 'warn', 'component', output="so so"),
                                check('r:s', 'fail', 'datastore', output="bad")])
    assert (found['status'], found['output']) == ('fail', 'bad')
    assert 'output' not in found['checks']['x:y'][0] and found['checks']['p:q'][0]['output'] == "so so"
    assert document('a', '1', [])['status'] == 'pass'
