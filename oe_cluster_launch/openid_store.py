# -*- coding: utf-8 -*-
"""The OpenID store of auth_openid, in Redis: associations and nonces for every node.

With a store per node a log-in that begins on one and ends on another fails
(unknown association), and a provider's answer can be used once per node
instead of once. Implements python-openid's OpenIDStore without importing it:
what it needs of it is handed in. Entries end by their time to live; the
clean-up methods only hurry that up.
"""
import logging
import time

from oe_cluster_launch.compat import native, to_bytes
from oe_cluster_launch.errors import SealError

#: an association is kept at least this long, though it is never handed out when expired
SHORTEST_LIFE_SECONDS = 60
#: a nonce is remembered this much longer than it could be used
NONCE_RESERVE_SECONDS = 60

_logger = logging.getLogger(__name__)


class RedisOpenIDStore(object):
    """Associations and used nonces of the cluster.

    :param association_class: openid.association.Association, which knows how to (de)serialize
    :param skew_seconds: function: how far a nonce's time may be from ours
    :param clock: function: the time of day
    """

    def __init__(self, store, sealing, association_class, skew_seconds, clock=time.time):
        self._store = store
        self._sealing = sealing
        self._association_class = association_class
        self._skew_seconds = skew_seconds
        self._clock = clock

    def storeAssociation(self, server_url, association):  # noqa: N802 - python-openid's name
        """Keep an association until it expires. One script: value, and life of the provider's hash."""
        key = self._store.keys.openid_associations(server_url)
        token = self._sealing.seal(to_bytes(association.serialize()), key, association.handle)
        life_seconds = max(SHORTEST_LIFE_SECONDS, self._left_seconds(association))
        self._store.run('openid_store', [key], [association.handle, token, int(life_seconds * 1000)])

    def getAssociation(self, server_url, handle=None):  # noqa: N802
        """The association of that handle, else the newest one; None when there is none that is valid."""
        key = self._store.keys.openid_associations(server_url)
        client = self._store.client()
        found = client.hgetall(key) if handle is None else {to_bytes(handle): client.hget(key, handle)}
        read = [self._unsealed(key, name, token) for name, token in found.items() if token]
        valid = [association for association in read if association and self._left_seconds(association) > 0]
        return max(valid, key=lambda association: association.issued) if valid else None

    def removeAssociation(self, server_url, handle):  # noqa: N802
        """Forget an association; whether there was one."""
        return bool(self._store.client().hdel(self._store.keys.openid_associations(server_url), handle))

    def useNonce(self, server_url, timestamp, salt):  # noqa: N802
        """Whether this nonce is used for the first time anywhere in the cluster. Atomic.

        :raises RedisUnavailable: nobody can know, so nobody is let in
        """
        now, skew_seconds = self._clock(), self._skew_seconds()
        if abs(timestamp - now) > skew_seconds:
            return False
        key = self._store.keys.openid_nonce(server_url, timestamp, salt)
        # as long as it could be used; one from the future for up to twice the window
        life_seconds = timestamp + skew_seconds - now + NONCE_RESERVE_SECONDS
        return bool(self._store.client().set(key, '%d' % timestamp, nx=True, px=int(life_seconds * 1000)))

    def cleanupNonces(self):  # noqa: N802
        """Delete nonces that could not be used any more; how many. SCAN, for tools only."""
        client = self._store.client()
        removed = 0
        for key in client.scan_iter(match=self._store.keys.openid_nonce_pattern, count=500):
            used_at = client.get(key)
            if used_at and abs(int(used_at) - self._clock()) > self._skew_seconds():
                removed += client.delete(key)
        return removed

    def cleanupAssociations(self):  # noqa: N802
        """Delete associations that have expired; how many. SCAN, for tools only."""
        client = self._store.client()
        removed = 0
        for key in client.scan_iter(match=self._store.keys.openid_association_pattern, count=500):
            for handle, token in client.hgetall(key).items():
                association = self._unsealed(key, handle, token)
                if association is None or self._left_seconds(association) <= 0:
                    removed += client.hdel(key, handle)
        return removed

    def cleanup(self):
        """Both of the above, as python-openid expects it."""
        return self.cleanupNonces(), self.cleanupAssociations()

    def _left_seconds(self, association):
        return association.issued + association.lifetime - self._clock()

    def _unsealed(self, key, handle, token):
        """The association, or None when it was not sealed by us for this provider and handle."""
        try:
            return self._association_class.deserialize(native(self._sealing.unseal(token, key, handle)))
        except (SealError, ValueError, KeyError) as error:
            _logger.warning("an OpenID association is ignored: %s", error)
            return None
