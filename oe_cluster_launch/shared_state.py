# -*- coding: utf-8 -*-
"""What this node shares with the others: the key file and Redis, ready before the first seam.

Runs in the master before the host's addons are imported. It opens connections
and closes them again: none may cross the fork.
"""
import logging
import os

from oe_cluster_launch.errors import ConfigurationError, Fault, LaunchError
from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.store import Store
from oe_cluster_launch.store.server_checks import apply_findings, check_server

_logger = logging.getLogger(__name__)


def prepare(settings):
    """Check Redis, read or make the key file.

    :returns: (Store, Sealing)
    :raises RedisUnavailable: it cannot be used, or `redis_faults = refuse` and it may lose sessions
    :raises ConfigurationError, PermissionRefused: the key file
    """
    store = Store(settings)
    try:
        apply_findings(check_server(store), refuse=settings.redis_faults == 'refuse')
        return store, open_keys(settings, store)
    finally:
        store.close()


def open_keys(settings, store):
    """The keys of this node. The very first node of a cluster makes the file.

    :raises ConfigurationError: there is none, and other nodes are running with theirs
    """
    path = settings.secret_key_file
    if not os.path.exists(path):
        others = _running_nodes(store)
        if others:
            raise ConfigurationError([_missing_key(path, others)], settings.path)
        if key_file.create(path):
            _logger.info("made the key file %s: copy it to every other node of the cluster", path)
    return Sealing(path)


def key_faults(settings, store):
    """What is wrong with the key file, as a list of faults. Makes nothing.

    :raises RedisUnavailable: there is no file, and nobody can tell whether there should be one
    """
    path = settings.secret_key_file
    try:
        if os.path.exists(path):
            Sealing(path)
        elif _running_nodes(store):
            return [_missing_key(path, _running_nodes(store))]
        elif not os.access(os.path.dirname(path), os.W_OK):
            return [Fault('secret_key_file', path, "is missing, and this user cannot make it",
                          "Make the folder writable for the node's user, or copy the file there")]
    except ConfigurationError as error:
        return error.faults
    except LaunchError as error:
        return [Fault('secret_key_file', path, str(error), "Then run the check again")]
    return []


def _missing_key(path, others):
    return Fault('secret_key_file', path, "is missing, but %d nodes of this cluster are running" % others,
                 "Copy the file from one of them (mode 0600, owned by the node's user)")


def _running_nodes(store):
    return sum(1 for _ in store.client().scan_iter(match=store.keys.member_pattern))
