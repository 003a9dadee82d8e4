# -*- coding: utf-8 -*-
"""Who the client is, behind one proxy, behind several, and when somebody lies."""
import pytest

from oe_cluster_launch.settings.kinds import Network
from oe_cluster_launch.supervisor.forwarded import apply_proxy_headers

CHAIN = ['10.0.0.0/8', '192.0.2.7']


def after(peer, proxies=(), proxy_mode=True, **headers):
    environ = {'REMOTE_ADDR': peer, 'wsgi.url_scheme': 'http'}
    for name, value in headers.items():
        environ['HTTP_X_FORWARDED_' + name.upper()] = value
    apply_proxy_headers(environ, proxy_mode, [Network().parse(text) for text in proxies])
    return environ


@pytest.mark.parametrize('peer, entries, client', [
    ('10.0.0.1', '203.0.113.9', '203.0.113.9'),
    ('10.0.0.1', '203.0.113.9, 192.0.2.7', '203.0.113.9'),
    ('10.0.0.1', '203.0.113.9, 192.0.2.7, 10.9.9.9', '203.0.113.9'),
    ('10.0.0.1', '1.2.3.4, 203.0.113.9, 10.9.9.9', '203.0.113.9'),     # 1.2.3.4 is a lie
    ('10.0.0.1', '10.1.1.1, 203.0.113.9', '203.0.113.9'),              # so is 10.1.1.1
    ('10.0.0.1', 'garbage, 10.9.9.9', 'garbage'),
    ('10.0.0.1', '', '10.0.0.1'),
    ('::ffff:10.0.0.1', '2001:db8::1', '2001:db8::1'),
])
def test_the_client_is_the_nearest_address_that_is_no_trusted_proxy(peer, entries, client):
    environ = after(peer, CHAIN, **{'for': entries})
    assert environ['REMOTE_ADDR'] == client
    assert environ['HTTP_X_FORWARDED_FOR'] == client, "OpenERP takes the last entry"


def test_nothing_that_a_stranger_sends_is_believed():
    environ = after('203.0.113.9', CHAIN, proto='https', host='evil', **{'for': '10.0.0.1'})
    assert environ['REMOTE_ADDR'] == '203.0.113.9'
    assert environ['wsgi.url_scheme'] == 'http'
    assert not [name for name in environ if name.startswith('HTTP_X_FORWARDED')]


def test_without_a_list_the_last_entry_counts_as_in_stock():
    assert after('10.0.0.1', **{'for': '1.1.1.1, 2.2.2.2'})['REMOTE_ADDR'] == '2.2.2.2'


def test_without_proxy_mode_the_headers_mean_nothing():
    environ = after('10.0.0.1', CHAIN, proxy_mode=False, proto='https', **{'for': '1.1.1.1'})
    assert environ['REMOTE_ADDR'] == '10.0.0.1'
    assert environ['wsgi.url_scheme'] == 'http'


def test_the_scheme_is_the_one_of_the_first_proxy_and_nothing_else():
    assert after('10.0.0.1', CHAIN, proto='https, http')['wsgi.url_scheme'] == 'https'
    assert after('10.0.0.1', CHAIN, proto='javascript')['wsgi.url_scheme'] == 'http'


@pytest.mark.parametrize('text, shown', [
    ('10.0.0.5', '10.0.0.5'), ('10.1.2.3/16', '10.1.0.0/16'), ('fd00::1/8', 'fd00::/8'),
    ('0.0.0.0/0', '0.0.0.0/0'),
])
def test_networks_are_shown_as_they_count(text, shown):
    assert Network().show(Network().parse(text)) == shown


@pytest.mark.parametrize('text', ['10.0.0', 'example.org', '10.0.0.0/33', '::/129', '10.0.0.0/x'])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(ValueError):
        Network().parse(text)
