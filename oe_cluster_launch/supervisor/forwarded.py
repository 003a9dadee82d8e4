# -*- coding: utf-8 -*-
"""Who the client is when proxies stand between: X-Forwarded-*, believed only from proxies.

Each proxy appends the address it was contacted from, so the list is true from
its right end up to the first entry that no trusted proxy has written. What
lies left of that is the client's own invention. Pure functions on the WSGI
environment; without proxy_mode the headers mean nothing.
"""
from oe_cluster_launch.settings.kinds import lies_in

FORWARDED = ('HTTP_X_FORWARDED_FOR', 'HTTP_X_FORWARDED_HOST', 'HTTP_X_FORWARDED_PROTO',
             'HTTP_X_FORWARDED_SERVER', 'HTTP_X_FORWARDED_PORT', 'HTTP_X_REAL_IP', 'HTTP_FORWARDED')


def client_address(peer, entries, networks):
    """The nearest address that is no trusted proxy.

    :param peer: who has connected to us
    :param entries: X-Forwarded-For, as a list
    :param networks: trusted proxies; empty: the peer alone is believed
    """
    if not networks:
        return entries[-1] if entries else peer
    address = peer
    for entry in reversed(entries):
        if not lies_in(address, networks):
            break
        address = entry
    return address


def apply_proxy_headers(environ, proxy_mode, networks):
    """Set REMOTE_ADDR to the client, and leave only what OpenERP may believe.

    OpenERP takes the last entry of X-Forwarded-For, so that is the one it gets.
    """
    peer = environ.get('REMOTE_ADDR', '')
    environ['oe_cluster.peer'] = peer
    if not proxy_mode:
        return  # OpenERP does not look at the headers either
    if networks and not lies_in(peer, networks):
        for name in FORWARDED:
            environ.pop(name, None)
        return
    entries = [entry.strip() for entry in environ.get('HTTP_X_FORWARDED_FOR', '').split(',')]
    client = client_address(peer, [entry for entry in entries if entry], networks)
    if 'HTTP_X_FORWARDED_FOR' in environ:
        environ['REMOTE_ADDR'] = environ['HTTP_X_FORWARDED_FOR'] = client
    scheme = environ.get('HTTP_X_FORWARDED_PROTO', '').split(',')[0].strip().lower()
    if scheme in ('http', 'https'):
        environ['wsgi.url_scheme'] = environ['HTTP_X_FORWARDED_PROTO'] = scheme
    else:
        environ.pop('HTTP_X_FORWARDED_PROTO', None)
