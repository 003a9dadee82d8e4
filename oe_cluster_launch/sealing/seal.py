# -*- coding: utf-8 -*-
"""Seal and unseal what goes to Redis, with the keys of the key file.

A seal is Fernet: encrypted, authenticated, and bound to its place (a session id
and a field's name, say), so that a value copied to another place is refused.
`sign` authenticates without encrypting, for values that are no secret. Neither
knows what it seals: bytes in, bytes out. It does not stop a replay of an older
value at the same place by somebody who can write to Redis.
"""
import hashlib
import hmac
import logging
import os
import struct

from cryptography.fernet import Fernet, InvalidToken

from oe_cluster_launch.compat import monotonic, to_bytes
from oe_cluster_launch.errors import LaunchError, SealError
from oe_cluster_launch.sealing import key_file

#: a file that changed is looked for at most this often when a value cannot be unsealed
RELOAD_INTERVAL_SECONDS = 1.0
#: tokens whose content a process remembers, at least; at most twice as many
OPENED_KEPT = 500
#: a longer one, such as a report, is not remembered
LONGEST_KEPT_BYTES = 16 << 10
_MAC_BYTES = 32
_ID_BYTES = 4

_logger = logging.getLogger(__name__)


class _Key(object):
    """One key, ready for use."""

    def __init__(self, text):
        self.fingerprint = key_file.fingerprint(text)
        self.id = to_bytes(self.fingerprint)[:_ID_BYTES]
        self.fernet = Fernet(text)
        self.signing = hmac.new(text, b'oe-cluster-launch sign', hashlib.sha256).digest()


class _Lately(object):
    """A bounded memory: what is asked for stays, the rest goes when two generations are full."""

    def __init__(self, size):
        self._size = size
        self._young, self._old = {}, {}

    def get(self, name):
        if name in self._young:
            return self._young[name]
        if name in self._old:
            return self.put(name, self._old[name])
        return None

    def put(self, name, value):
        if len(self._young) >= self._size:
            self._young, self._old = {}, self._young
        self._young[name] = value
        return value


class Sealing(object):
    """The keys of this node. Immutable but for :meth:`reload`; shared by forked workers.

    :ivar fingerprint: of the key that seals
    :ivar fingerprints: of every key that unseals, newest first
    """

    def __init__(self, path, keys=None):
        """Read the keys of `path`; `keys` instead of a file is for tests.

        :raises PermissionRefused, ConfigurationError: see key_file.read_keys
        """
        self.path = path
        self._looked_at = float('-inf')
        self._file_state = _file_state(path)
        self._adopt(keys or key_file.read_keys(path))

    def _adopt(self, keys):
        self._keys = [_Key(key) for key in keys]
        self.fingerprints = [key.fingerprint for key in self._keys]
        self.fingerprint = self.fingerprints[0]
        self._opened = _Lately(OPENED_KEPT)

    def understands(self, other_fingerprint):
        """Whether we can unseal what a node seals whose newest key has that fingerprint."""
        return other_fingerprint in self.fingerprints

    def seal(self, payload, *place):
        """`payload` (bytes) encrypted and bound to `place` (texts)."""
        token = self._keys[0].fernet.encrypt(_bound(payload, place))
        self._remember(token, place, (payload, True))
        return token

    def unseal(self, token, *place):
        """The payload of a token that we or another node sealed for this place.

        :raises SealError: forged, cut, sealed with an unknown key or for another place
        """
        return self.unseal_and_tell(token, *place)[0]

    def unseal_and_tell(self, token, *place):
        """(payload, whether it was sealed with the newest key); raises SealError.

        What was sealed or opened here lately is known: a token is unique and cannot be changed
        without becoming another one, so it need not be authenticated twice.
        """
        known = self._opened.get((token, place))
        if known is None:
            known = self._unseal(token, place)
            self._remember(token, place, known)
        return known

    def _remember(self, token, place, known):
        if len(token) <= LONGEST_KEPT_BYTES:
            self._opened.put((token, place), known)

    def _unseal(self, token, place):
        for number, key in enumerate(self._keys):
            try:
                return _unbound(key.fernet.decrypt(token), place), number == 0
            except (InvalidToken, TypeError, ValueError):
                continue
        if self.reload():
            return self._unseal(token, place)
        raise SealError("A value is not sealed with a key of this node: forged, cut, or another key file")

    def sign(self, payload, *place):
        """`payload` in clear, preceded by a proof that a node of this cluster wrote it for `place`."""
        key = self._keys[0]
        return key.id + _mac(key, payload, place) + payload

    def verify(self, signed, *place):
        """The payload of what :meth:`sign` made; raises SealError."""
        key_id, mac, payload = (signed[:_ID_BYTES], signed[_ID_BYTES:_ID_BYTES + _MAC_BYTES],
                                signed[_ID_BYTES + _MAC_BYTES:])
        for key in self._keys:
            if key.id == key_id and hmac.compare_digest(mac, _mac(key, payload, place)):
                return payload
        if self.reload():
            return self.verify(signed, *place)
        raise SealError("A value is not signed with a key of this node, or not for its place")

    def reload(self):
        """Adopt the key file if it changed; True when it did.

        Called by itself when a value cannot be unsealed, so that nodes need no
        restart while a new key file is copied from one to the next.
        """
        now = monotonic()
        if now < self._looked_at + RELOAD_INTERVAL_SECONDS:
            return False
        self._looked_at = now
        state = _file_state(self.path)
        if state is None or state == self._file_state:
            return False
        try:
            keys = key_file.read_keys(self.path)
        except LaunchError as error:
            _logger.warning("the changed key file is not used: %s", error)
            return False
        self._file_state = state
        self._adopt(keys)
        _logger.info("key file %s read again: newest key %s", self.path, self.fingerprint)
        return True


def _file_state(path):
    """What changes when a file is replaced; None when it cannot be seen."""
    try:
        status = os.stat(path)
    except (OSError, TypeError):
        return None
    return status.st_ino, status.st_mtime, status.st_size


def _place_bytes(place):
    return b''.join(struct.pack('>I', len(part)) + part for part in map(to_bytes, place))


def _bound(payload, place):
    head = _place_bytes(place)
    return struct.pack('>I', len(head)) + head + payload


def _unbound(plain, place):
    head = _place_bytes(place)
    expected = struct.pack('>I', len(head)) + head
    if not plain.startswith(expected):
        raise SealError("A value was sealed for another place: it was copied inside Redis")
    return plain[len(expected):]


def _mac(key, payload, place):
    return hmac.new(key.signing, _bound(payload, place), hashlib.sha256).digest()
