# -*- coding: utf-8 -*-
"""The node's own file: settings, account, OpenERP and its options, the port."""
import errno
import os
import platform
import pwd
import socket
import stat

from oe_cluster_launch import compat, privileges
from oe_cluster_launch.check.result import fail, from_faults, ok, warn
from oe_cluster_launch.cron import lease
from oe_cluster_launch.health import address as health_address
from oe_cluster_launch.settings import TABLE


def settings(context):
    """Every [cluster] setting and environment variable is known and accepted."""
    given = sum(1 for row in TABLE if context.settings and context.settings.origin(row.name) != 'default')
    return from_faults(context.faults, "%d settings, %d of them given; source: %s"
                       % (len(TABLE), given, context.config_path or 'environment'))


def secrets_in_file(context):
    """The file holds passwords: nobody but its owner and group should read it."""
    mode = stat.S_IMODE(os.stat(context.config_path).st_mode) if context.config_path else 0
    if not mode & 0o004:
        return ok("only its owner and group can read the passwords in it")
    parser = compat.read_ini(context.config_path)
    passwords = sorted(set(name for section in parser.sections() for name in parser.options(section)
                           if 'passw' in name and parser.get(section, name, raw=True)))
    if not passwords:
        return ok("holds no password")
    return warn("%s has mode %04o: every user of this machine can read %s" % (
        context.config_path, mode, ', '.join(passwords)), "chmod 640 it and give it to the node's group")


def account(context):
    """Become `user`, when started as root, so that the other checks see what the node will see."""
    faults = privileges.check(context.settings)
    if not faults:
        privileges.drop(context.settings)
    return from_faults(faults, "runs as %s" % pwd.getpwuid(os.geteuid()).pw_name)


def cron_times(context):
    """The times of the lease fit together."""
    return from_faults(lease.faults(context.settings), "lease %gs, renewed every %gs" % (
        context.settings.cron_lease_ttl, context.settings.cron_renew_interval))


def openerp(context):
    """OpenERP can be imported and is the version we know."""
    return ok("OpenERP %s, Python %s" % (context.import_host().version, platform.python_version()))


def options(context):
    """OpenERP's own parser accepts [options] and the command line."""
    host = context.host  # raises with every fault
    return ok("%d HTTP workers, %s cron workers, databases: %s" % (
        host.workers, host.config['max_cron_threads'] or 'no', ', '.join(host.databases()) or 'any'))


def port(context):
    """The node's port is free, or held by this very node."""
    return _try_port(context, 'xmlrpc_port', context.host.address)


def status_port(context):
    """So is the port on which it tells how it is."""
    main = context.host.address
    place = health_address.status_address(context.settings, main)
    faults = health_address.faults(context.settings, main)
    if faults or not place:
        return from_faults(faults, "none: only the HTTP workers tell how the node is")
    return _try_port(context, 'status_port', place)


def _try_port(context, setting, address):
    family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        return ok("%s:%d is free" % address)
    except socket.error as error:
        if error.errno == errno.EADDRINUSE and _runs_at(context, context.host.address):
            return ok("%s:%d is held by this node, which is running" % address)
        return fail("cannot be listened on: %s" % error.strerror,
                    "Stop the process that holds it (ss -ltnp), or choose another port",
                    setting, '%s:%d' % address)
    finally:
        listener.close()


def _runs_at(context, address):
    running = context.running_here()
    return bool(running) and running.get('address') == '%s:%d' % address
