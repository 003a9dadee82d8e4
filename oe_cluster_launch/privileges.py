# -*- coding: utf-8 -*-
"""From root to the user that OpenERP may run as.

Called in the master before the host is imported and before any fork: nothing
of the host ever runs as root. A start as an ordinary user changes nothing.
"""
import grp
import logging
import os
import pwd

from oe_cluster_launch.errors import ConfigurationError, Fault, PermissionRefused

_logger = logging.getLogger(__name__)


def check(settings):
    """The faults of `user` and `group`, as a list. Changes nothing."""
    faults = []
    for name, lookup in (('user', pwd.getpwnam), ('group', grp.getgrnam)):
        value = getattr(settings, name)
        if value is None:
            continue
        try:
            lookup(value)
        except KeyError:
            faults.append(Fault(name, value, "there is no such %s on this machine" % name,
                                "Create it, or name one that exists"))
    if settings.user and _is_root(settings.user):
        faults.append(Fault('user', settings.user, "is root, and OpenERP refuses root",
                            "Name an ordinary user"))
    return faults


def drop(settings):
    """Become `user` and `group` when started as root.

    :raises PermissionRefused: root without `user`
    :raises ConfigurationError: the user or group does not exist
    """
    if os.geteuid() != 0:
        return
    if not settings.user:
        raise PermissionRefused(
            "Started as root, and OpenERP refuses root: set `user` in [cluster] "
            "(or OE_CLUSTER_USER) to the user that runs OpenERP, or start as that user.")
    faults = check(settings)
    if faults:
        raise ConfigurationError(faults, settings.path)
    account = pwd.getpwnam(settings.user)
    group = grp.getgrnam(settings.group).gr_gid if settings.group else account.pw_gid
    os.initgroups(account.pw_name, group)
    os.setgid(group)
    os.setuid(account.pw_uid)
    os.environ.update(HOME=account.pw_dir, USER=account.pw_name, LOGNAME=account.pw_name)
    if not os.access(os.getcwd(), os.X_OK):
        os.chdir('/')


def _is_root(user):
    try:
        return pwd.getpwnam(user).pw_uid == 0
    except KeyError:
        return False
