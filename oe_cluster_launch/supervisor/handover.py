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
#: the settings that say where each port is
HTTP = ('xmlrpc_port', 'xmlrpc_interface')
STATUS = ('status_port', 'status_interface')


def set_inheritable(descriptor, inheritable):
    """Whether a descriptor survives an exec."""
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFD)
    flags = flags & ~fcntl.FD_CLOEXEC if inheritable else flags | fcntl.FD_CLOEXEC
    fcntl.fcntl(descriptor, fcntl.F_SETFD, flags)


#: the HTTP port and the status port
LISTENERS = 2


def unbound_sockets():
    """For each port one socket per address family, for a master to bind those it needs. In the keeper."""
    made = []
    for family in (socket.AF_INET, socket.AF_INET6) * LISTENERS:
        try:
            made.append(socket.socket(family, socket.SOCK_STREAM))
        except (socket.error, OSError):  # a kernel without IPv6
            continue
    return made


class Handover(object):
    """A master's end.

    :ivar keeper_pid: whom to send HUP for a rolling reload
    :ivar again: an earlier master has served already: what -i and -u asked for is done
    :ivar activated: those of the descriptors that are systemd's, which keeps them over our end
    :ivar metrics_folder: where the processes of this node count, over all masters; None: nowhere
    """

    def __init__(self, keeper_pid, channel, descriptors, again=False, activated=(), metrics_folder=None):
        self.keeper_pid = keeper_pid
        self.channel = channel
        self.descriptors = list(descriptors)
        self.again = again
        self.activated = list(activated)
        self.metrics_folder = metrics_folder

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

    def listen_descriptors(self, address, status_address=None):
        """Descriptors that listen where the node is configured to; the others are closed.

        systemd's all serve the HTTP port, whatever its address, but for one that has
        the address of the status port.

        :returns: (those of the HTTP port, that of the status port or None)
        :raises AddressUnavailable: an address cannot be bound
        """
        opened = dict((descriptor, _socket_of(descriptor)) for descriptor in self.descriptors)
        try:
            status = self._choose(opened, status_address, STATUS) if status_address else None
            own = [descriptor for descriptor in self.activated if descriptor != status]
            chosen = own or [self._choose(opened, address, HTTP)]
        finally:
            for opened_socket in opened.values():
                opened_socket.close()
        used = chosen + ([] if status is None else [status])
        for descriptor in self.descriptors:
            if descriptor not in used:
                os.close(descriptor)
        self.say('listening', descriptors=used)
        return chosen, status

    def _choose(self, opened, address, settings):
        for descriptor in self.descriptors:
            if opened[descriptor].getsockname()[:2] == _numeric(address, settings):
                return descriptor
        family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        for descriptor in self.descriptors:
            if opened[descriptor].family == family and opened[descriptor].getsockname()[1] == 0:
                _bind(opened[descriptor], address, settings)
                return descriptor
        raise AddressUnavailable("This kernel has no sockets for %s." % address[0])


def _socket_of(descriptor):
    probe = socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM)
    family = probe.getsockopt(socket.SOL_SOCKET, _SO_DOMAIN)
    probe.close()
    return socket.fromfd(descriptor, family, socket.SOCK_STREAM)


def _numeric(address, settings):
    """(address, port) as getsockname gives it."""
    try:
        found = socket.getaddrinfo(address[0], address[1], 0, socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise AddressUnavailable("%s = %s is no address of this machine: %s."
                                 % (settings[1], address[0], error.strerror))
    return found[0][4][:2]


def _bind(unbound, address, settings):
    unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        unbound.bind(_numeric(address, settings))
        unbound.listen(1)
    except (socket.error, OSError) as error:
        raise AddressUnavailable(
            "Port %d on %s cannot be used: %s. Remedy: stop what listens there, or set "
            "%s or %s." % ((address[1], address[0], error.strerror) + settings))
