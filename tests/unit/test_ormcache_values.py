# -*- coding: utf-8 -*-
"""Keys in one form, values nobody can change, and what may be believed: no services needed."""
import collections

import pytest

from oe_cluster_launch.compat import text_type
from oe_cluster_launch.ormcache.generation import CLEAR, KEEP, RELOAD, Generation, adopted, reception
from oe_cluster_launch.ormcache.keys import LocalOnly, canonical
from oe_cluster_launch.ormcache.values import NotKeepable, handed_out, is_plain, keep


class Record(object):
    """Stands for a record: only its own process knows what it is."""


# -- keys


@pytest.mark.parametrize('one, other', [
    (1, True), (0, False), (1, 1.0), (0, -0.0), ((1, (True, 0)), (1.0, (1, False))),
    (u'x', 'x'), (('a', 1), (u'a', True)),
])
def test_equal_keys_have_one_form_down_to_its_representation(one, other):
    assert one == other
    assert canonical(one) == canonical(other)
    assert repr(canonical(one)) == repr(canonical(other))


@pytest.mark.parametrize('one, other', [
    (1, '1'), (None, False), ((1, 2), (1, (2,))), (('ab', 'c'), ('a', 'bc')),
    ((), None), (1.5, 1), (float('inf'), 'inf'),
])
def test_keys_that_differ_keep_different_forms(one, other):
    assert one != other
    assert canonical(one) != canonical(other)


def test_the_form_of_a_key_equals_the_key_so_that_either_finds_the_other():
    key = (1, True, u'x', 'y', None, (2.0, u'\xe9'.encode('utf-8')))
    assert {key: 'answer'}[canonical(key)] == 'answer'


@pytest.mark.parametrize('part', [Record(), (1, Record()), frozenset([1]), float('nan'), [1], {}])
def test_what_only_this_process_understands_stays_here(part):
    with pytest.raises(LocalOnly):
        canonical(part)


# -- values


@pytest.mark.parametrize('value', [
    None, True, 7, 2.5, 'x', u'\xe9', b'\xff', (1, ('a', None)), frozenset([1])])
def test_an_immutable_value_is_kept_and_handed_out_as_it_is(value):
    assert keep(value) is value
    assert handed_out(value) is value


@pytest.mark.parametrize('value', [
    [1, 2], {'a': 1}, {1}, [[1], {'a': [2]}], {'a': {'b': [1]}}, ([1], 2),
    collections.OrderedDict([('a', [1])]),
])
def test_a_reader_gets_an_equal_value_of_the_same_class_that_is_his_own(value):
    kept = keep(value)
    first, second = handed_out(kept), handed_out(kept)
    assert first == value
    assert type(first) is type(value)
    assert first is not second
    assert first is not value


def _spoil(value):
    """Change whatever can be changed in a value."""
    if isinstance(value, list):
        for member in value:
            _spoil(member)
        value.append('spoiled')
    elif isinstance(value, dict):
        for member in list(value.values()):
            _spoil(member)
        value['spoiled'] = True
    elif isinstance(value, tuple):
        for member in value:
            _spoil(member)


@pytest.mark.parametrize('make', [
    lambda: [1], lambda: {'a': 1}, lambda: [[1]], lambda: {'a': {'b': [1]}}, lambda: ([1], {'a': [2]}),
], ids=['list', 'dict', 'nested list', 'nested dict', 'tuple'])
def test_neither_who_computed_a_value_nor_who_read_it_can_change_it_for_others(make):
    original = make()
    kept = keep(original)
    _spoil(original)
    _spoil(handed_out(kept))
    assert handed_out(kept) == make()


@pytest.mark.parametrize('value', [Record(), [Record()], {'a': Record()}, iter([1]), lambda: 1])
def test_what_cannot_be_copied_safely_is_not_kept(value):
    with pytest.raises(NotKeepable):
        keep(value)


def test_only_plain_values_may_leave_the_process():
    assert is_plain([1, {'a': (None, u'x', 2.5)}, {1}])
    assert not is_plain([Record()])
    assert not is_plain(collections.OrderedDict())


def test_text_keeps_its_type():
    assert type(handed_out(keep({'a': u'x'}))['a']) is text_type


# -- generations

KNOWN = Generation('16384-16999', '1700000000.5', 3, 7)


@pytest.mark.parametrize('found, action', [
    (KNOWN, KEEP),
    (KNOWN._replace(cache=8), CLEAR),
    (KNOWN._replace(cache=6), CLEAR),      # a database that was restored
    (KNOWN._replace(started='1700000999.5'), CLEAR),
    (KNOWN._replace(registry=4), RELOAD),
    (KNOWN._replace(registry=4, cache=8), RELOAD),
    (KNOWN._replace(database='16500-17000'), RELOAD),   # dropped and created anew under the same name
])
def test_what_a_difference_asks_for(found, action):
    assert reception(KNOWN, found) == action


def test_only_the_direct_successor_of_what_is_known_is_adopted():
    assert adopted(5, 6) == 6
    assert adopted(5, 7) == 5
    assert adopted(5, 5) == 5


def test_every_part_but_the_database_is_in_the_text_of_a_generation():
    texts = [KNOWN.text] + [KNOWN._replace(**{name: '1'}).text for name in ('started', 'registry', 'cache')]
    assert len(set(texts)) == 4
