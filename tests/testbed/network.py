# -*- coding: utf-8 -*-
"""Nodes with a network of their own, and cables to pull: namespaces of the kernel. Needs root.

Each node lives in a network namespace and reaches Redis and PostgreSQL over two cables (veth
pairs), each plugged into a switch of its own (a bridge) on which that server listens. pull()
takes the host's end of a cable down: packets vanish both ways, nobody sends a reset, the
kernel acknowledges nothing - what a pulled cable or a dead switch does.
"""
import ctypes
import os
import re
import subprocess

from . import process_table
from .problem import Problem

CLONE_NEWNET = 0x40000000
REDIS, POSTGRES = 'redis', 'postgres'
#: RFC 2544's range for tests of networks: one /24 of it for each switch
SUBNETS = {REDIS: '198.18.%d.%d', POSTGRES: '198.19.%d.%d'}
RANGE = '198.18.0.0/15'
#: what our names begin with, and the process that they belong to
_NAMES = re.compile(r'\b(oe(\d+)[rp](?:-\w+)?)\b')
_NAMESPACES = re.compile(r'^oe(\d+)-\w+')


def _ip(*words):
    process = subprocess.Popen(('ip',) + words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    printed = process.communicate()[0].decode('utf-8', 'replace')
    if process.returncode:
        raise Problem("ip %s: %s" % (' '.join(words), printed.strip()))
    return printed


class Network(object):
    """Two switches; Problem when this machine does not permit them."""

    def __init__(self):
        if os.getuid():
            raise Problem("network namespaces need root")
        if not any(os.path.exists(path) for path in ('/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip')):
            raise Problem("iproute2 is not installed")
        _sweep()
        self._number = _free_number()
        self._namespaces = []
        try:
            for switch in (REDIS, POSTGRES):
                _ip('link', 'add', self._switch(switch), 'type', 'bridge')
                _ip('address', 'add', self.address_of(switch) + '/24', 'dev', self._switch(switch))
                _ip('link', 'set', self._switch(switch), 'up')
            self.plug_in('probe')
        except Problem:
            self.remove()
            raise

    def address_of(self, switch, host=1):
        """The server's address on that switch; nodes have the later ones."""
        return SUBNETS[switch] % (self._number, host)

    def plug_in(self, node):
        """A namespace for a node, with both cables plugged in; returns it."""
        made = Namespace('oe%d-%s' % (os.getpid(), node),
                         self.address_of(POSTGRES, 10 + len(self._namespaces)))
        _ip('netns', 'add', made.name)
        self._namespaces.append(made)
        _ip('-n', made.name, 'link', 'set', 'lo', 'up')
        for switch in (REDIS, POSTGRES):
            address = self.address_of(switch, 9 + len(self._namespaces))
            _ip('link', 'add', self._cable(node, switch), 'type', 'veth',
                'peer', 'name', switch, 'netns', made.name)
            _ip('-n', made.name, 'address', 'add', address + '/24', 'dev', switch)
            _ip('-n', made.name, 'link', 'set', switch, 'up')
            _ip('link', 'set', self._cable(node, switch), 'master', self._switch(switch), 'up')
        return made

    def pull(self, node, switch):
        """Cut a node off that switch."""
        _ip('link', 'set', self._cable(node, switch), 'down')

    def put_back(self, node, switch):
        """And back again."""
        _ip('link', 'set', self._cable(node, switch), 'up')

    def remove(self):
        """Take all of it away; processes inside should be gone."""
        for namespace in self._namespaces:
            _forget('netns', 'delete', namespace.name)
        for switch in (REDIS, POSTGRES):
            _forget('link', 'delete', self._switch(switch))

    def _switch(self, switch):
        return 'oe%d%s' % (os.getpid(), switch[0])

    def _cable(self, node, switch):
        return '%s-%s' % (self._switch(switch), node)


class Namespace(object):
    """Where a node lives; `address` is its own on PostgreSQL's switch."""

    def __init__(self, name, address):
        self.name = name
        self.address = address

    def enter(self):
        """Move this process there: in the child, while it is still root."""
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = os.open('/run/netns/%s' % self.name, os.O_RDONLY)
        try:
            if libc.setns(descriptor, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns %s" % self.name)
        finally:
            os.close(descriptor)


def _forget(*words):
    try:
        _ip(*words)
    except Problem:
        pass  # it was not there


def _free_number():
    """A number whose subnets nobody on this machine uses."""
    taken = _ip('-4', '-o', 'address')
    for offset in range(256):
        number = (os.getpid() + offset) % 256
        if not any((pattern % (number, 1)) in taken for pattern in SUBNETS.values()):
            return number
    raise Problem("no subnet of %s is free" % RANGE)


def _sweep():
    """Remove what sessions that were killed have left."""
    for line in _ip('netns', 'list').splitlines():
        found = _NAMESPACES.match(line)
        if found and not process_table.started(int(found.group(1))):
            _forget('netns', 'delete', line.split()[0])
    for name, pid in set(_NAMES.findall(_ip('-o', 'link'))):
        if not process_table.started(int(pid)):
            _forget('link', 'delete', name)
