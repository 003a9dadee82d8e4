# -*- coding: utf-8 -*-
"""What the keeper hands to each master: the listening sockets, and a channel to report on.

It travels in one environment variable, as JSON: numbers of inherited
descriptors. The keeper makes sockets without an address; the first master
binds them, and as they are shared the keeper then has them bound, too. So
the keeper need not know OpenERP's options.
"""
import errno
import fcntl
import json
import os
import socket

from oe_cluster_launch.compat import to_bytes
from oe_cluster_launch.errors import AddressUnavailable

VARIABLE = 'OE_CLUSTER_HANDOVER'
_SO_DOMAIN = 39


def set_inheritable(descriptor, inheritable):
    """Whether a descriptor survives an exec."""
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFD)
    flags = flags & ~fcntl.FD_CLOEXEC if inheritable else flags | fcntl.FD_CLOEXEC
    fcntl.fcntl(descriptor, fcntl.F_SETFD, flags)


def unbound_sockets():
    """One socket per address family, for a master to bind the one it needs. In the keeper."""
    made = []
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            made.append(socket.socket(family, socket.SOCK_STREAM))
        except (socket.error, OSError):  # a kernel without IPv6
            continue
    return made


class Handover(object):
    """A master's end.

    :ivar keeper_pid: whom to send HUP for a rolling reload
    :ivar again: an earlier master has served already: what -i and -u asked for is done
    :ivar activated: the sockets are systemd's, which keeps them over our end
    """

    def __init__(self, keeper_pid, channel, descriptors, again=False, activated=False):
        self.keeper_pid = keeper_pid
        self.channel = channel
        self.descriptors = list(descriptors)
        self.again = again
        self.activated = activated

    def dump(self):
        """The variable's value. In the keeper."""
        return json.dumps(dict(vars(self)))

    @classmethod
    def take(cls, environ=os.environ):
        """The hand-over this process was started with, or None. Children do not see it."""
        text = environ.pop(VARIABLE, None)
        if not text:
            return None
        values = json.loads(text)
        handover = cls(**values)
        for descriptor in [handover.channel] + handover.descriptors:
            set_inheritable(descriptor, False)
        return handover

    def say(self, what, **details):
        """Report to the keeper. Its end cannot close before ours: without it we are killed."""
        line = to_bytes(json.dumps(dict(details, say=what)) + '\n')
        while line:
            try:
                line = line[os.write(self.channel, line):]
            except OSError as error:
                if error.errno != errno.EINTR:
                    raise

    def listen_descriptors(self, address):
        """Descriptors that listen where the node is configured to; the others are closed.

        :raises AddressUnavailable: the address cannot be bound
        """
        opened = [(descriptor, _socket_of(descriptor)) for descriptor in self.descriptors]
        try:
            chosen = self._choose(opened, address)
        finally:
            for _, opened_socket in opened:
                opened_socket.close()
        for descriptor in self.descriptors:
            if descriptor not in chosen:
                os.close(descriptor)
        self.say('listening', descriptors=chosen)
        return chosen

    def _choose(self, opened, address):
        if self.activated:
            return [descriptor for descriptor, _ in opened]
        for descriptor, opened_socket in opened:
            if opened_socket.getsockname()[:2] == _numeric(address):
                return [descriptor]
        family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        for descriptor, opened_socket in opened:
            if opened_socket.family == family and opened_socket.getsockname()[1] == 0:
                _bind(opened_socket, address)
                return [descriptor]
        raise AddressUnavailable("This kernel has no sockets for %s." % address[0])


def _socket_of(descriptor):
    probe = socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM)
    family = probe.getsockopt(socket.SOL_SOCKET, _SO_DOMAIN)
    probe.close()
    return socket.fromfd(descriptor, family, socket.SOCK_STREAM)


def _numeric(address):
    """(address, port) as getsockname gives it."""
    try:
        found = socket.getaddrinfo(address[0], address[1], 0, socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise AddressUnavailable("xmlrpc_interface = %s is no address of this machine: %s."
                                 % (address[0], error.strerror))
    return found[0][4][:2]


def _bind(unbound, address):
    unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        unbound.bind(_numeric(address))
        unbound.listen(1)
    except (socket.error, OSError) as error:
        raise AddressUnavailable(
            "Port %d on %s cannot be used: %s. Remedy: stop what listens there, or set "
            "xmlrpc_port or xmlrpc_interface." % (address[1], address[0], error.strerror))
