# -*- coding: utf-8 -*-
"""Where a node listens for questions about itself, and what can be wrong with that. Pure functions."""
from oe_cluster_launch.errors import Fault

#: the status port, unless one is set, is so far above the HTTP port
DISTANCE = 1000
HIGHEST_PORT = 65535


def status_address(settings, main):
    """(interface, port), or None when the port is turned off.

    :param main: (interface, port) of the HTTP workers
    """
    if settings.status_port == 0:
        return None
    port = main[1] + DISTANCE if settings.status_port is None else settings.status_port
    return settings.status_interface or main[0], port


def faults(settings, main):
    """What makes that address impossible, as a list of :class:`Fault`."""
    address = status_address(settings, main)
    if address and address[1] > HIGHEST_PORT:
        return [Fault('status_port', 'xmlrpc_port + %d = %d' % (DISTANCE, address[1]),
                      "there is no such port", "Set status_port in [cluster], or 0 for none")]
    if address and address[1] == main[1]:
        return [Fault('status_port', address[1], "is xmlrpc_port, which the HTTP workers listen on",
                      "Choose another, or 0 for none")]
    return []
