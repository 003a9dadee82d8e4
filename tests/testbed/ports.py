# -*- coding: utf-8 -*-
"""Loopback ports: finding a free one, and who holds one that is taken."""
import collections
import glob
import os
import random
import socket

# Below Linux' ephemeral range, so that no outgoing connection takes the port before we listen.
LOWEST, HIGHEST = 20000, 32000

# The newest reservations: enough for what runs at once, few enough for the limit on open files.
_reserved = collections.deque(maxlen=256)


def is_free(port):
    """Whether 127.0.0.1:`port` can be listened on."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(('127.0.0.1', port))
        return True
    except socket.error:
        return False
    finally:
        probe.close()


def free_port():
    """A loopback port that nobody listens on and that this process never hands out twice.

    The port stays bound, without listening, so that no other test session and no outgoing
    connection takes it before the server that it is meant for; a server binds it all the
    same, since all of ours set SO_REUSEADDR.
    """
    while True:
        reservation = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            # The first bind goes without SO_REUSEADDR, which would let two reserve one port.
            reservation.bind(('127.0.0.1', random.SystemRandom().randrange(LOWEST, HIGHEST)))
        except socket.error:
            reservation.close()
            continue
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _reserved.append(reservation)
        return reservation.getsockname()[1]


def holder(port):
    """`"nginx (process 123)"` for the process that listens on `port`, None when it is hidden."""
    inodes = _listening_inodes(port)
    for link in glob.glob('/proc/[0-9]*/fd/*'):
        try:
            if os.readlink(link) in inodes:
                pid = link.split('/')[2]
                with open('/proc/%s/comm' % pid) as name:
                    return "%s (process %s)" % (name.read().strip(), pid)
        except (IOError, OSError):
            continue
    return None


def _listening_inodes(port):
    listen, inodes = '0A', set()
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        if not os.path.exists(table):
            continue
        with open(table) as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                if fields[3] == listen and int(fields[1].split(':')[1], 16) == port:
                    inodes.add('socket:[%s]' % fields[9])
    return inodes
