# -*- coding: utf-8 -*-
"""`--check`: everything that can be known to be wrong before a start, all at once.

Started as root it becomes `user` first, so that files and servers are tried
as the one who will use them. A check that fails does not keep the others from
running; one that needs a setting that is itself wrong is left out.
"""
import os
import socket
import sys

from oe_cluster_launch import privileges, shared_state
from oe_cluster_launch.cron import lease
from oe_cluster_launch.errors import EXIT_OK, ConfigurationError, Fault, LaunchError
from oe_cluster_launch.health import address
from oe_cluster_launch.settings import load_settings


def account_faults(settings, arguments):
    """`user` and `group`; then become them, for the checks that follow."""
    faults = privileges.check(settings)
    if not faults:
        privileges.drop(settings)
    return faults


def shared_state_faults(settings, arguments):
    """The key file and Redis."""
    return shared_state.faults(settings)


def cron_faults(settings, arguments):
    """The times of the cron lease, which only make sense together."""
    return list(lease.faults(settings))


def host_faults(settings, arguments):
    """What OpenERP's own parser and PostgreSQL say, and whether the port is free."""
    from oe_cluster_launch.seams.openerp7.host import Host
    host = Host()
    return host.check(arguments) or _address_faults(settings, host.address)


def _address_faults(settings, main):
    status = address.status_address(settings, main)
    return (_port_faults('xmlrpc_port', main) + address.faults(settings, main)
            or (_port_faults('status_port', status) if status else []))


def _port_faults(name, place):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(place)
    except socket.error as error:
        return [Fault(name, '%s:%d' % place, "cannot be listened on: %s" % error.strerror,
                      "Stop the process that holds it (ss -ltnp), or choose another port")]
    finally:
        listener.close()
    return []


#: (check, the settings it needs)
CHECKS = [
    (account_faults, ('user', 'group')),
    (shared_state_faults, ('redis_url', 'redis_sentinels', 'redis_timeout', 'secret_key_file')),
    (cron_faults, ('cron_lease_ttl', 'cron_renew_interval', 'cron_lease_margin', 'cron_stop_timeout',
                   'member_ttl', 'redis_timeout')),
    (host_faults, ('status_port', 'status_interface')),
]


def collect(config_path, arguments):
    """Every fault of this node's configuration, in the order of the checks.

    Changes the process's user when started as root: the process should end afterwards.
    """
    faults = []
    try:
        settings = load_settings(config_path, os.environ)
    except ConfigurationError as error:
        faults.extend(error.faults)
        settings = error.settings
    wrong = {fault.key for fault in faults}
    if '-c' in wrong:  # no file, no host options either
        return faults
    for check, needs in CHECKS:
        if wrong.intersection(needs):
            continue
        try:
            faults.extend(check(settings, arguments))
        except LaunchError as error:
            faults.append(Fault(check.__name__.replace('_faults', ''), sys.executable, str(error),
                                "Then run the check again"))
    return faults


def report(config_path, arguments):
    """Print the verdict and return the exit code.

    :raises ConfigurationError: with every fault
    """
    faults = collect(config_path, arguments)
    if faults:
        raise ConfigurationError(faults, config_path)
    sys.stdout.write("%s: settings, account, key file, Redis, PostgreSQL and OpenERP are fine\n"
                     % (config_path or 'environment'))
    return EXIT_OK
