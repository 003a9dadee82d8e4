# -*- coding: utf-8 -*-
"""Three versions of a value become one, and nothing that one side did is lost."""
import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oe_cluster_launch.sessions.merge import ABSENT, merge, same
from oe_cluster_launch.sessions.policy import Policy


class Thing(object):
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Other(Thing):
    pass


class Credentials(Policy):
    units = (('user', 'password'),)

    def prefer(self, base, mine, theirs):
        return mine if mine.get('user') or not theirs.get('user') else theirs


POLICY = Policy()


@pytest.mark.parametrize('base, mine, theirs, expected', [
    (1, 1, 1, 1),
    (1, 2, 1, 2),
    (1, 1, 2, 2),
    (1, 2, 3, 2),
    ({}, {'a': 1}, {'b': 2}, {'a': 1, 'b': 2}),
    ({'a': 1}, {}, {'a': 1, 'b': 2}, {'b': 2}),
    ({'a': 1, 'b': 1}, {'b': 1}, {'a': 1}, {}),
    ({'a': 1}, {}, {'a': 2}, {'a': 2}),
    ({'a': 1}, {'a': 2}, {}, {'a': 2}),
    ({'a': {'x': 1}}, {'a': {'x': 1, 'y': 2}}, {'a': {'x': 1, 'z': 3}}, {'a': {'x': 1, 'y': 2, 'z': 3}}),
    (ABSENT, {'a': 1}, {'b': 2}, {'a': 1, 'b': 2}),
    ([1], [1, 2], [1, 3], [1, 2]),
    ({'a': 1}, 'text', {'a': 2}, 'text'),
    ({'a': 1}, {'a': True}, {'a': 1}, {'a': True}),
])
def test_the_table_of_cases(base, mine, theirs, expected):
    before = copy.deepcopy((mine, theirs))
    assert same(merge(base, mine, theirs, POLICY), expected)
    assert (mine, theirs) == before  # nothing is changed in place


def test_objects_are_merged_by_attribute_and_stay_of_their_class():
    merged = merge(Thing(a=1, b=1), Thing(a=2, b=1), Thing(a=1, b=2, c=3), POLICY)
    assert type(merged) is Thing and vars(merged) == {'a': 2, 'b': 2, 'c': 3}


def test_objects_of_different_classes_are_taken_whole():
    assert type(merge(Thing(a=1), Other(a=2), Thing(a=3), POLICY)) is Other


def test_a_unit_is_never_mixed_from_two_sides():
    base = Thing(user=1, password='old')
    merged = merge(base, Thing(user=2, password='mine'), Thing(user=3, password='theirs'), Credentials())
    assert (merged.user, merged.password) == (2, 'mine')
    merged = merge(base, Thing(user=1, password='mine'), Thing(user=3, password='old'), Credentials())
    assert (merged.user, merged.password) in [(1, 'mine'), (3, 'old')]


def test_of_a_unit_the_signed_in_side_wins_over_a_failed_check():
    base = Thing(user=1, password='old')
    failed, signed_in = Thing(user=None, password='old'), Thing(user=1, password='new')
    for mine, theirs in [(failed, signed_in), (signed_in, failed)]:
        merged = merge(base, mine, theirs, Credentials())
        assert (merged.user, merged.password) == (1, 'new')
    assert merge(base, failed, base, Credentials()).user is None


values = st.recursive(st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.text(max_size=2)),
                      lambda inner: st.one_of(st.lists(inner, max_size=3),
                                              st.dictionaries(st.sampled_from('abcd'), inner, max_size=4)),
                      max_leaves=8)


@given(values, values)
def test_one_changed_side_is_taken_as_it_is(base, changed):
    assert same(merge(base, changed, base, POLICY), changed)
    assert same(merge(base, base, changed, POLICY), changed)


keys = st.dictionaries(st.sampled_from('abcdef'), st.integers(0, 3))


@given(keys, keys, keys)
def test_every_key_that_one_side_alone_changed_is_as_that_side_left_it(base, mine, theirs):
    merged = merge(base, mine, theirs, POLICY)
    for key in 'abcdef':
        was, ours, other = base.get(key), mine.get(key), theirs.get(key)
        if ours == was:
            assert merged.get(key) == other
        elif other == was:
            assert merged.get(key) == ours


@given(values)
def test_a_value_is_the_same_as_its_copy(value):
    assert same(value, copy.deepcopy(value))


@pytest.mark.parametrize('left, right', [
    (1, True), (0, False), (1, 1.0), (u'a', b'a'), ([1], (1,)), ({'a': 1}, {'a': 1, 'b': 2}),
    (Thing(a=1), Thing(a=2)), (Thing(a=1), Other(a=1)), ({1}, {2})])
def test_what_differs_in_value_or_type_is_not_the_same(left, right):
    assert not same(left, right)


def test_what_cannot_be_compared_is_not_the_same():
    one, other = Thing(), Thing()
    one.me, other.me = one, other
    assert not same(one, other)
