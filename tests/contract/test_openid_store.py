# -*- coding: utf-8 -*-
"""The OpenID store without python-openid; its own test suite runs in tests/seams."""
import pytest

from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.openid_store import RedisOpenIDStore
from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.store import Store

PROVIDER = u'https://id.example.org/?a=b&c=\xe9'.encode('utf-8')
NOW = 1500000000.0
SKEW = 3600


class Association(object):
    """As much of an association as the store uses."""

    def __init__(self, handle, issued=NOW, lifetime=600):
        self.handle, self.issued, self.lifetime = handle, issued, lifetime

    def serialize(self):
        return '%s %d %d' % (self.handle, self.issued, self.lifetime)

    @classmethod
    def deserialize(cls, text):
        handle, issued, lifetime = text.split()
        return cls(handle, int(issued), int(lifetime))


@pytest.fixture
def node(store, sealing):
    """A function: the store as one node has it."""
    return lambda store=store, sealing=sealing, now=NOW: RedisOpenIDStore(
        store, sealing, Association, lambda: SKEW, lambda: now)


def handle_of(association):
    return association and association.handle


def test_an_association_made_on_one_node_is_known_on_the_other(node):
    node().storeAssociation(PROVIDER, Association('h1'))
    assert handle_of(node().getAssociation(PROVIDER, 'h1')) == 'h1'
    assert handle_of(node().getAssociation(PROVIDER)) == 'h1'
    assert node().getAssociation(b'https://other.example.org', 'h1') is None


def test_the_newest_association_is_preferred_and_an_expired_one_never_returned(node):
    node().storeAssociation(PROVIDER, Association('old', NOW - 10))
    node().storeAssociation(PROVIDER, Association('new', NOW))
    node().storeAssociation(PROVIDER, Association('expired', NOW - 700))
    assert handle_of(node().getAssociation(PROVIDER)) == 'new'
    assert node().getAssociation(PROVIDER, 'expired') is None
    assert node(now=NOW + 601).getAssociation(PROVIDER) is None


def test_a_nonce_is_used_once_in_the_whole_cluster(node):
    assert node().useNonce(PROVIDER, int(NOW), 'salt') is True
    assert node().useNonce(PROVIDER, int(NOW), 'salt') is False
    assert node().useNonce(PROVIDER, int(NOW), 'other salt') is True
    assert node().useNonce(b'https://other.example.org', int(NOW), 'salt') is True


def test_a_nonce_is_remembered_as_long_as_it_could_be_used_again(node, store):
    from_the_future = int(NOW) + SKEW
    assert node().useNonce(PROVIDER, from_the_future, 'salt')
    assert store.client().ttl(store.keys.openid_nonce(PROVIDER, from_the_future, 'salt')) > 2 * SKEW
    assert not node(now=NOW + 2 * SKEW).useNonce(PROVIDER, from_the_future, 'salt')
    assert not node(now=NOW + 2 * SKEW + 1).useNonce(PROVIDER, from_the_future, 'salt')


@pytest.mark.parametrize('seconds', [SKEW + 1, -SKEW - 1])
def test_a_nonce_out_of_the_window_is_refused(node, seconds):
    assert node().useNonce(PROVIDER, int(NOW) + seconds, 'salt') is False


def test_an_association_put_there_by_somebody_else_is_ignored(node, store):
    foreign = Sealing(None, [key_file.new_key()])
    node(sealing=foreign).storeAssociation(PROVIDER, Association('forged'))
    assert node().getAssociation(PROVIDER, 'forged') is None
    assert node().getAssociation(PROVIDER) is None


def test_an_association_copied_to_another_provider_is_ignored(node, store):
    node().storeAssociation(PROVIDER, Association('h1'))
    token = store.client().hget(store.keys.openid_associations(PROVIDER), 'h1')
    store.client().hset(store.keys.openid_associations(b'https://evil.example.org'), 'h1', token)
    assert node().getAssociation(b'https://evil.example.org', 'h1') is None


def test_what_is_stored_is_no_secret_to_read_and_ends_by_itself(node, store):
    node().storeAssociation(PROVIDER, Association('h1'))
    key = store.keys.openid_associations(PROVIDER)
    assert b'1500000000' not in store.client().hget(key, 'h1')
    assert 590 < store.client().ttl(key) <= 600


def test_without_redis_nobody_is_let_in(node, redis_server, settings_of):
    away = Store(settings_of(redis_server))
    redis_server.kill_all()
    with pytest.raises(RedisUnavailable):
        node(store=away).useNonce(PROVIDER, int(NOW), 'salt')
