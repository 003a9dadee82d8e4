# -*- coding: utf-8 -*-
"""The PostgreSQL sessions of a cron worker: named by term, and ended soon when a cable is cut.

Everything here is set in the worker's own environment and on its own sockets,
before and after libpq makes them; the host's connection code is untouched.
A server that never hears of a broken connection keeps a job's row locked for
two hours; a client that never hears of it waits about as long.
"""
import os
import socket

from oe_cluster_launch.seams.openerp7 import cron_fence

#: our side notices first, and has stopped when the server frees the row for another node
CLIENT_KEEPALIVE = (4, 2, 2)   # seconds idle, seconds between probes, probes: 8 s
SERVER_KEEPALIVE = (8, 3, 3)   # 17 s
CONNECT_TIMEOUT_SECONDS = 5


def prepare_environment(config, shift):
    """What libpq reads when it connects. In the worker, before its first connection."""
    os.environ['PGAPPNAME'] = cron_fence.session_name(shift.term, shift.node)
    os.environ.setdefault('PGCONNECT_TIMEOUT', str(CONNECT_TIMEOUT_SECONDS))
    if _is_remote(config):
        keepalive = ("-c tcp_keepalives_idle=%d -c tcp_keepalives_interval=%d -c tcp_keepalives_count=%d"
                     % SERVER_KEEPALIVE)
        os.environ['PGOPTIONS'] = ('%s %s' % (os.environ.get('PGOPTIONS', ''), keepalive)).strip()


def notice_dead_peers(sql_db):
    """Shorten the keepalive of the pool's TCP connections on our side."""
    idle, interval, probes = CLIENT_KEEPALIVE
    for connection, _used in list(sql_db._Pool._connections):
        if connection.closed:
            continue
        try:
            peer = socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        except Exception:
            continue
        try:
            if peer.getsockopt(socket.SOL_SOCKET, _SO_DOMAIN) == socket.AF_UNIX:
                continue
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, probes)
            # keepalive does not probe while data awaits its acknowledgement
            peer.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, (idle + interval * probes) * 1000)
        except socket.error:
            pass
        finally:
            peer.close()


def _is_remote(config):
    return bool(config['db_host']) and not config['db_host'].startswith('/')


#: numbers of Linux that Python 2's socket module does not name
_SO_DOMAIN = 39
_TCP_USER_TIMEOUT = 18
