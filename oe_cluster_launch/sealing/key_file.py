# -*- coding: utf-8 -*-
"""The file of keys: one Fernet key per line, newest first, readable by its owner alone.

The first key seals, every key unseals, so a key can be changed without logging
anyone out: `rotate` puts a new one on top, the file is copied to every node,
and the oldest line goes when the longest session is over. Files are made whole
under another name and then put in place: nobody ever reads half a key.
"""
import base64
import binascii
import errno
import hashlib
import os
import stat
import tempfile

from oe_cluster_launch.compat import native, to_bytes
from oe_cluster_launch.errors import ConfigurationError, Fault, PermissionRefused

#: keys that `rotate` leaves in the file: the new one and those before it
KEYS_KEPT = 3
_KEY_BYTES = 32


def read_keys(path):
    """The keys of a file, newest first, as bytes.

    :raises PermissionRefused: others than the owner may read or write it
    :raises ConfigurationError: it is missing, unreadable or holds no valid key
    """
    try:
        with open(path, 'rb') as source:
            _refuse_open_to_others(path, os.fstat(source.fileno()))
            lines = [line.strip() for line in source]
    except (IOError, OSError) as error:
        raise _unusable(path, _REASONS.get(error.errno, error.strerror), _READ_REMEDY)
    keys = [line for line in lines if line and not line.startswith(b'#')]
    if not keys:
        raise _unusable(path, "holds no key", "Make one with `oe-cluster-launch key new`")
    for number, key in enumerate(keys, 1):
        if not _is_key(key):
            raise _unusable(path, "key %d is not a Fernet key" % number,
                            "Restore the file from another node")
    return keys


def create(path, owner=None):
    """Make a key file with one new key, mode 0600, unless there is one already.

    Atomic: of two processes that try at once one wins, and both read its key.

    :param owner: (uid, gid) it shall belong to, when made by root for another user
    :returns: True when this call made it
    """
    temporary = _write_beside(path, [new_key()], owner)
    try:
        os.link(temporary, path)
        return True
    except OSError as error:
        if error.errno != errno.EEXIST:
            raise _unusable(path, error.strerror, "Let the folder be writable, or make it by hand")
        return False
    finally:
        os.unlink(temporary)


def rotate(path):
    """Put a new key on top of the file; keys beyond KEYS_KEPT leave it. Returns the keys now there.

    Run as root for a file of another user, it keeps the file's owner.
    """
    keys = [new_key()] + read_keys(path)[:KEYS_KEPT - 1]
    status = os.stat(path)
    temporary = _write_beside(path, keys, (status.st_uid, status.st_gid))
    os.rename(temporary, path)
    return keys


def new_key():
    """A fresh Fernet key: 32 random bytes as URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES))


def fingerprint(key):
    """What may be shown of a key: 16 hexadecimal digits that say which one it is."""
    return hashlib.sha256(b'oe-cluster-launch fingerprint\0' + key).hexdigest()[:16]


def _is_key(text):
    try:
        return len(base64.urlsafe_b64decode(native(text))) == _KEY_BYTES
    except (TypeError, ValueError, binascii.Error):
        return False


def _refuse_open_to_others(path, status):
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise PermissionRefused(
            "%s has mode %04o: others than its owner can use the keys of every session. "
            "chmod 600 it, and rotate the key if it has been so for long" % (path, mode))


def _write_beside(path, keys, owner):
    """A complete, synced file of mode 0600 in the same folder; returns its path."""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix='.key-')
    except (IOError, OSError) as error:
        raise _unusable(path, "its folder: %s" % error.strerror,
                        "Make the folder, owned by the user that runs the node")
    with os.fdopen(descriptor, 'wb') as target:
        target.write(b''.join(to_bytes(key) + b'\n' for key in keys))
        target.flush()
        os.fsync(target.fileno())
        if owner is not None and os.geteuid() == 0:
            os.fchown(target.fileno(), *owner)
    return temporary


_READ_REMEDY = ("Copy it from another node, or make the first one with `oe-cluster-launch key new`; "
                "its owner is the user that runs the node")
_REASONS = {errno.ENOENT: "there is no such file", errno.EACCES: "this user may not read it"}


def _unusable(path, reason, remedy):
    return ConfigurationError([Fault('secret_key_file', path, reason, remedy)])
