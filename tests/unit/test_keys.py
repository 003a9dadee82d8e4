# -*- coding: utf-8 -*-
"""Every key starts with the prefix, and no value makes one key look like another."""
import inspect

from hypothesis import given
from hypothesis import strategies as st

from oe_cluster_launch.store.keys import Keys

KEYS = Keys('oe')
ARGUMENTS = {'session_id': 'a' * 40, 'database': 'db', 'uid': 1, 'server_url': 'http://x', 'timestamp': 1,
             'salt': 's', 'process_id': 1}


def every_key():
    for name, member in sorted(vars(Keys).items()):
        if name.startswith('_') or name in ('session_id_of', 'session_owner', 'family_of'):
            continue
        if isinstance(member, property):
            yield name, getattr(KEYS, name)
        else:
            names = inspect.getargspec(member)[0] if hasattr(inspect, 'getargspec') else \
                inspect.getfullargspec(member)[0]
            yield name, getattr(KEYS, name)(*[ARGUMENTS.get(one, one) for one in names[1:]])


def test_every_key_starts_with_the_prefix_and_no_two_families_are_alike():
    found = dict(every_key())
    assert len(found) > 15
    assert all(key.startswith('oe:') for key in found.values())
    families = [key for name, key in found.items() if not name.endswith(('_pattern', '_start'))]
    assert len(set(families)) == len(families)


def test_a_session_key_gives_its_id_back():
    assert KEYS.session_id_of(KEYS.session('a' * 40)) == 'a' * 40
    assert KEYS.session_id_of(KEYS.session('a' * 40).encode('ascii')) == 'a' * 40


@given(st.text(max_size=20), st.text(max_size=20), st.integers(1, 9), st.integers(1, 9))
def test_users_of_different_databases_have_different_indexes(one, other, uid, other_uid):
    if (one, uid) != (other, other_uid):
        assert KEYS.session_index(one, uid) != KEYS.session_index(other, other_uid)


@given(st.text(max_size=20))
def test_no_database_name_brings_a_wildcard_or_a_space_into_a_key(name):
    key = KEYS.session_index(name, 1)
    assert not set(key) & set('*?[]{} \n') and key.count(':') == 3


@given(st.binary(max_size=10), st.binary(max_size=10))
def test_parts_of_a_digest_cannot_be_shifted(one, other):
    assert KEYS.openid_nonce(one + b'x', 1, other) != KEYS.openid_nonce(one, 1, b'x' + other)


def test_every_family_can_be_told_from_its_keys():
    assert KEYS.family_of(KEYS.session('x')) == 'session'
    assert KEYS.family_of(KEYS.session_index('a:b', 1).encode('ascii')) == 'session-index'
    assert Keys('a:b').family_of(Keys('a:b').cache_statistics('n', 1)) == 'cache-statistics'
