# -*- coding: utf-8 -*-
"""Folders that every node must see alike: `shared_paths`, verified and not just believed.

At its start each node writes a probe file with a new mark into each folder,
keeps the mark in Redis, and looks for the files of all others. A node whose
mount is missing finds none of them and does not start. A copy of the folder
is found out when a node that wrote into the original after the copy was made
is among the others.
"""
import errno
import logging
import os
import tempfile
import uuid

from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import ConfigurationError, Fault

#: in each shared folder: one probe file per node
PROBES = '.oe-cluster-probes'
#: a node that has not started for so long is no longer looked for
REMEMBER_SECONDS = 30 * 24 * 3600

_logger = logging.getLogger(__name__)


def verify(store, paths, node_name):
    """Leave our mark in each folder and look for those of the other nodes.

    :raises ConfigurationError: with a fault for every folder that is not shared
    """
    faults = [fault for fault in (_fault(store, path, node_name) for path in paths) if fault]
    if faults:
        raise ConfigurationError(faults)
    if paths:
        _logger.info("shared with all other nodes: %s", ', '.join(paths))


def look(store, path, node_name):
    """Whether a folder takes a file and holds what the other nodes have written; leaves nothing there.

    :returns: (fault or None, names of the other nodes whose files are there)
    """
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path, prefix='.oe-cluster-check-')
        os.close(descriptor)
        os.unlink(temporary)
    except EnvironmentError as error:
        return _not_writable(path, error), []
    marks = _marks(store, path)
    strangers = _strangers(path, marks)
    if strangers:
        return _not_shared(store, path, strangers), []
    return None, sorted(name for name in marks if name != node_name)


def covers(paths, folder):
    """Whether a folder is, or lies in, one of the shared paths, symbolic links followed."""
    folder = os.path.realpath(folder)
    return any(folder == shared or folder.startswith(shared.rstrip('/') + '/')
               for shared in map(os.path.realpath, paths))


def _fault(store, path, node_name):
    key, mark = store.keys.shared_path(path), uuid.uuid4().hex
    try:
        _write(path, node_name, mark)
    except EnvironmentError as error:
        return _not_writable(path, error)
    # Our file first, our mark second: whoever sees the mark can demand the file.
    store.run('shared_path_mark', [key], [node_name, mark, REMEMBER_SECONDS * 1000])
    strangers = _strangers(path, _marks(store, path))
    if not strangers:
        return None
    store.client().hdel(key, node_name)
    return _not_shared(store, path, strangers)


def _marks(store, path):
    """What each node says that it has written: {node: mark}."""
    marks = store.client().hgetall(store.keys.shared_path(path))
    return dict((native(name), native(mark)) for name, mark in marks.items())


def _strangers(path, marks):
    """The nodes whose files are not here."""
    return sorted(name for name, mark in marks.items() if _read(path, name) != mark)


def _not_writable(path, error):
    return Fault('shared_paths', path, "cannot be written: %s" % error.strerror,
                 "Mount the folder, writable for the node's user")


def _not_shared(store, path, strangers):
    return Fault('shared_paths', path, "is not the folder that node %s has: its probe file is not here"
                 % ', '.join(strangers),
                 "Mount the same share on all nodes. If you have replaced the folder on purpose: "
                 "redis-cli DEL %s" % store.keys.shared_path(path))


def _probe(path, node_name):
    return os.path.join(path, PROBES, node_name)


def _write(path, node_name, mark):
    os.stat(path)  # never make the mount point itself
    folder = os.path.join(path, PROBES)
    try:
        os.mkdir(folder)
    except OSError as error:
        if error.errno != errno.EEXIST:
            raise
    descriptor, temporary = tempfile.mkstemp(dir=folder)
    with os.fdopen(descriptor, 'w') as target:
        target.write(mark)
        target.flush()
        os.fsync(target.fileno())
    os.chmod(temporary, 0o644)
    os.rename(temporary, _probe(path, node_name))


def _read(path, node_name):
    try:
        with open(_probe(path, node_name)) as source:
            return source.read()
    except EnvironmentError:
        return None
