# -*- coding: utf-8 -*-
"""The OpenID store of auth_openid, in Redis: associations and nonces for every node.

With a store per node a log-in that begins on one and ends on another fails
(unknown association), and a provider's answer can be used once per node
instead of once. Implements python-openid's OpenIDStore without importing it;
the class of an association is handed in by the seam. Expired entries end by
their time to live, so the clean-up methods have nothing to do.
"""
import logging
import time

from oe_cluster_launch.compat import native, to_bytes
from oe_cluster_launch.errors import SealError

#: how far a nonce's time may be from ours; python-openid's own window, five hours
SKEW_SECONDS = 5 * 3600

_logger = logging.getLogger(__name__)


class RedisOpenIDStore(object):
    """Associations and used nonces of the cluster.

    :param association_class: openid.association.Association, which knows how to (de)serialize
    :param clock: the time of day, as a function
    """

    def __init__(self, store, sealing, association_class, clock=time.time):
        self._store = store
        self._sealing = sealing
        self._association_class = association_class
        self._clock = clock

    def storeAssociation(self, server_url, association):  # noqa: N802 - python-openid's name
        """Keep an association until it expires. One script: value, and life of the provider's hash."""
        self._store.run('openid_store', [self._store.keys.openid_associations(server_url)], [
            association.handle, self._sealed(server_url, association),
            int(association.issued + association.lifetime - self._clock()) * 1000])

    def getAssociation(self, server_url, handle=None):  # noqa: N802
        """The association of that handle, else the newest one; None when there is none that is valid."""
        key = self._store.keys.openid_associations(server_url)
        client = self._store.client()
        if handle is not None:
            found = {to_bytes(handle): client.hget(key, handle)}
        else:
            found = client.hgetall(key)
        valid = [association for association in (
            self._unsealed(server_url, name, token) for name, token in found.items() if token)
            if association is not None and association.issued + association.lifetime > self._clock()]
        return max(valid, key=lambda association: association.issued) if valid else None

    def removeAssociation(self, server_url, handle):  # noqa: N802
        """Forget an association; whether there was one."""
        return bool(self._store.client().hdel(self._store.keys.openid_associations(server_url), handle))

    def useNonce(self, server_url, timestamp, salt):  # noqa: N802
        """Whether this nonce is used for the first time anywhere in the cluster. Atomic.

        :raises RedisUnavailable: nobody can know, so nobody is let in
        """
        if abs(timestamp - self._clock()) > SKEW_SECONDS:
            return False
        key = self._store.keys.openid_nonce(server_url, timestamp, salt)
        # a nonce from the future stays acceptable for up to twice the window
        return bool(self._store.client().set(key, b'1', nx=True, px=(2 * SKEW_SECONDS + 60) * 1000))

    def cleanupNonces(self):  # noqa: N802
        """Nothing to do: Redis drops them. Returns 0."""
        return 0

    def cleanupAssociations(self):  # noqa: N802
        """Nothing to do: Redis drops them. Returns 0."""
        return 0

    def cleanup(self):
        """Both of the above, as python-openid expects it."""
        return self.cleanupNonces(), self.cleanupAssociations()

    def _sealed(self, server_url, association):
        return self._sealing.seal(to_bytes(association.serialize()), 'openid', server_url,
                                  association.handle)

    def _unsealed(self, server_url, handle, token):
        try:
            text = self._sealing.unseal(token, 'openid', server_url, handle)
            return self._association_class.deserialize(native(text))
        except (SealError, ValueError, KeyError) as error:
            _logger.warning("an OpenID association is ignored: %s", error)
            return None
