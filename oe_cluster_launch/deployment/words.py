# -*- coding: utf-8 -*-
"""What an operator may have put into a generated file: checked, since it goes in as it is."""
import re

from oe_cluster_launch.errors import UsageError
from oe_cluster_launch.settings.kinds import HostPort, Network

_PATH = re.compile(r'^/[A-Za-z0-9_.,@+:/-]*$')
_SERVER_NAME = re.compile(r'^(_|(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)$')
_HOST = re.compile(r'^[A-Za-z0-9_.:-]+$')


def path(text, option):
    """An absolute path without characters that nginx or systemd read as something else."""
    if not _PATH.match(text):
        raise UsageError("%s %s: accepted is an absolute path of letters, digits and _.,@+:/-"
                         % (option, text))
    return text.rstrip('/') or '/'


def server_name(text, option):
    """A host name, *.a host name, or `_`."""
    if not _SERVER_NAME.match(text):
        raise UsageError("%s %s: accepted is a host name such as erp.example.com" % (option, text))
    return text


def address(text, option):
    """(host, port) of `host:port`."""
    try:
        host, port = HostPort().parse(text)
    except ValueError:
        raise UsageError("%s %s: %s, such as 10.0.0.11:8069" % (option, text, HostPort.accepts))
    if not _HOST.match(host):
        raise UsageError("%s %s: %s is no host" % (option, text, host))
    return host, port


def network(text, option):
    """An address or a network, written as nginx wants it."""
    try:
        return Network().show(Network().parse(text))
    except ValueError:
        raise UsageError("%s %s: %s" % (option, text, Network.accepts))


def shown(pair):
    """`host:port`, with brackets around an IPv6 address."""
    host, port = pair
    return '%s:%d' % ('[%s]' % host if ':' in host else host, port)
