# -*- coding: utf-8 -*-
"""The decorators on models of our own: results, bounds, transactions, threads. No host, no Redis."""
import threading

import pytest

from oe_cluster_launch.ormcache import decorator, local, request
from oe_cluster_launch.ormcache.decorator import ormcache, ormcache_multi
from oe_cluster_launch.ormcache.local import Level, Table


class Pool(object):
    def __init__(self, name):
        self.db_name = name


class Cursor(object):
    """A cursor as far as the ormcache can see one."""

    def __init__(self, name):
        self.ormcache_transaction = request.Transaction(name)

    def commit(self):
        self.ormcache_transaction.committed()

    def rollback(self):
        self.ormcache_transaction.rolled_back()


class Model(object):
    _name = 'model'

    def __init__(self, name):
        self.pool = Pool(name)
        self.calls = []
        self.rows = {}

    @ormcache(skiparg=2, size=100)
    def one(self, cr, uid, key=None):
        self.calls.append(key)
        return self.rows.get(key, key)

    @ormcache(skiparg=3)
    def by_key(self, cr, uid, key):
        self.calls.append(key)
        return key

    @ormcache_multi(skiparg=3, multi=4)
    def many(self, cr, uid, lang, ids):
        self.calls.append(list(ids))
        return dict((one, self.rows.get(one, '%s %s' % (lang, one))) for one in ids)


@pytest.fixture
def model(request):
    return Model(request.node.name)


@pytest.fixture
def cr(model):
    return Cursor(model.pool.db_name)


@pytest.fixture
def in_a_request():
    with request.bounded(lambda ended: None):
        yield


def state(model):
    return request.current().database(model.pool.db_name)


# -- as in the host


def test_a_second_call_is_answered_without_computing(model, cr):
    assert model.one(cr, 1, 'a') == 'a'
    assert model.one(cr, 1, 'a') == 'a'
    cr.commit()
    assert model.one(cr, 1, 'a') == 'a'
    assert model.calls == ['a']


def test_skipped_arguments_are_no_part_of_the_key(model, cr):
    model.by_key(cr, 1, 'a')
    model.by_key(cr, 2, 'a')
    assert model.calls == ['a']
    model.one(cr, 1, 'b')
    model.one(cr, 2, 'b')
    assert model.calls == ['a', 'b', 'b']


def test_what_cannot_be_a_key_is_computed_each_time(cr, model):
    class Unhashable(list):
        pass
    computed = []

    @ormcache()
    def length(self, cr, uid, items):
        computed.append(items)
        return len(items)
    assert length(model, cr, 1, Unhashable([7])) == 1
    assert length(model, cr, 1, Unhashable([7])) == 1
    assert len(computed) == 2
    assert length.clear_cache.__self__.stat_err == 2


def test_several_ids_are_computed_in_one_call_and_only_those_missing(model, cr):
    assert model.many(cr, 1, 'fr', [1, 2]) == {1: 'fr 1', 2: 'fr 2'}
    assert model.many(cr, 1, 'fr', [2, 3]) == {2: 'fr 2', 3: 'fr 3'}
    assert model.many(cr, 1, 'fr', []) == {}
    assert model.calls == [[1, 2], [3]]


def test_an_id_the_method_leaves_out_is_an_error_as_in_the_host(model, cr):
    @ormcache_multi(skiparg=3, multi=3)
    def forgets(self, cr, uid, ids):
        return {}
    with pytest.raises(KeyError):
        forgets(model, cr, 1, [1])


def test_one_key_is_cleared_or_all(model, cr, in_a_request):
    for key in 'ab':
        model.one(cr, 1, key)
    model.one.clear_cache(model, 1, 'a')
    model.one(cr, 1, 'a')
    del model.calls[:]
    model.one.clear_cache(model, 1, 'a')
    model.one(cr, 1, 'a')
    model.one(cr, 1, 'b')
    assert model.calls.count('a') == 1
    del model.calls[:]
    model.one.clear_cache(model)
    model.one(cr, 1, 'a')
    model.one(cr, 1, 'b')
    assert model.calls == ['a', 'b']


def test_a_clear_is_noted_even_if_nothing_was_held(model, in_a_request):
    model.one.clear_cache(model, 1, 'never asked for')
    assert state(model).cleared


def test_attributes_that_addons_reach_for_are_there(model, cr):
    cache = type(model).__dict__['one'].clear_cache.__self__
    model.one(cr, 1, 'a')
    cr.commit()
    model.one(cr, 1, 'a')
    assert (cache.skiparg, cache.size, cache.method.__name__) == (2, 100, 'one')
    assert cache.stat().startswith('lookup-stats hit=')
    table = cache.lru(model)
    assert table[1, 'a'] == 'a'
    assert (1, 'a') in table
    del table[1, 'a']
    assert model._ormcache[cache.method] is table


def test_a_subclass_with_a_lookup_of_its_own_is_asked():
    class Shouting(ormcache):
        def lookup(self, self2, cr, *args):
            return super(Shouting, self).lookup(self2, cr, *args).upper()
    model = Model('shouting')
    assert Shouting()(lambda self, cr, uid, key: key)(model, Cursor('shouting'), 1, 'a') == 'A'


def test_a_model_of_no_database_is_cached_too():
    class Bare(object):
        calls = 0

        @ormcache()
        def one(self, cr, uid):
            self.calls += 1
            return self.calls
    bare = Bare()
    assert [bare.one(None, 1), bare.one(None, 1)] == [1, 1]
    bare.one.clear_cache(bare)
    assert bare.one(None, 1) == 2


def test_the_caller_who_computed_an_answer_cannot_change_it_for_the_next(model, cr):
    model.rows['a'] = ['row']
    model.one(cr, 1, 'a').append('spoiled')
    cr.commit()
    model.one(cr, 1, 'a').append('spoiled')
    assert model.one(cr, 1, 'a')[:1] == ['row']


# -- transactions


def test_an_answer_of_a_transaction_that_is_rolled_back_is_forgotten(model, cr):
    model.rows['a'] = 'uncommitted'
    model.one(cr, 1, 'a')
    cr.rollback()
    model.rows['a'] = 'committed'
    assert model.one(cr, 1, 'a') == 'committed'


def test_another_transaction_does_not_see_an_answer_before_the_commit(model, cr, in_a_request):
    other = Cursor(model.pool.db_name)
    model.rows['a'] = 'uncommitted'
    model.one(cr, 1, 'a')
    model.rows['a'] = 'committed'
    assert model.one(other, 1, 'a') == 'committed'
    assert model.one(cr, 1, 'a') == 'uncommitted'


def test_an_answer_from_before_a_drop_is_not_kept_after_it(model, cr):
    # t0 the transaction reads   t1 a signal is received, all is dropped   t2 it commits
    model.rows['a'] = 'old'
    model.one(cr, 1, 'a')
    local.level_of(model.pool.db_name).drop()
    cr.commit()
    model.rows['a'] = 'new'
    assert model.one(Cursor(model.pool.db_name), 1, 'a') == 'new'


def test_after_a_clear_a_request_works_on_its_own_picture(model, cr):
    model.rows['a'] = 'old'
    model.one(cr, 1, 'a')
    cr.commit()
    with request.bounded(lambda ended: None):
        mine = Cursor(model.pool.db_name)
        model.rows['a'] = 'uncommitted'
        model.one.clear_cache(model)
        assert model.one(mine, 1, 'a') == 'uncommitted'
        seen = []

        def other():
            with request.bounded(lambda ended: None):
                seen.append(model.one(Cursor(model.pool.db_name), 1, 'a'))
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert seen == ['old']
        mine.rollback()
        model.rows['a'] = 'old'
        assert model.one(mine, 1, 'a') == 'old'
    assert not request.states_with_view


def test_a_request_that_cleared_shares_nothing(model, cr, in_a_request):
    model.one(cr, 1, 'a')
    cr.commit()
    assert [key for _place, key, _kept in state(model).fresh] == [(1, 'a')]
    model.one.clear_cache(model)
    mine = Cursor(model.pool.db_name)
    model.one(mine, 1, 'b')
    mine.commit()
    assert state(model).fresh == []


def test_a_clear_while_caches_are_dropped_quietly_is_no_change(model, in_a_request):
    with state(model).quietly():
        model.one.clear_cache(model)
    assert not state(model).cleared


def test_the_end_of_a_request_is_called_also_after_an_exception(model):
    ended = []
    with pytest.raises(ValueError), request.bounded(ended.append):
        model.one.clear_cache(model)
        raise ValueError
    assert [s.cleared for r in ended for s in r.databases()] == [False]
    assert not request.states_with_view


def test_a_request_within_a_request_ends_with_the_outer_one():
    ended = []
    with request.bounded(ended.append) as outer:
        with request.bounded(ended.append) as inner:
            assert inner is outer
        assert ended == []
    assert ended == [outer]


# -- bounds


def test_a_table_never_holds_more_than_its_size_and_keeps_what_is_asked_for():
    table = Table(100)
    table.put('asked for again and again', 'kept')
    for number in range(1000):
        table.put(number, number)
        assert table.find('asked for again and again') == 'kept'
        assert len(table) <= 100


@pytest.mark.parametrize('size', [1, 2, 3])
def test_small_tables_keep_their_bound_too(size):
    table = Table(size)
    for number in range(20):
        table.put(number, number)
        assert table.find(number) == number
        assert 1 <= len(table) <= max(size, 1)


def test_a_level_never_holds_more_than_its_limit(monkeypatch):
    monkeypatch.setattr(Level, 'limit', 500)
    level = Level('limited')
    tables = [level.table(8192) for _ in range(10)]
    for number in range(3000):
        assert level.put(level.epoch, [(tables[number % 10], number, number)])
        assert level.entries() <= 501


def test_a_level_keeps_nothing_of_an_earlier_epoch():
    level = Level('epochs')
    table, before = level.table(10), level.epoch
    level.drop()
    assert not level.put(before, [(table, 'a', 1)])
    assert level.entries() == 0


def test_threads_that_read_write_and_clear_get_right_answers(model):
    problems = []

    def work(number):
        try:
            for step in range(300):
                with request.bounded(lambda ended: None):
                    cr = Cursor(model.pool.db_name)
                    key = (number + step) % 150
                    if model.one(cr, 1, key) != key or model.many(cr, 1, 'l', [key]) != {key: 'l %d' % key}:
                        problems.append(key)
                    if step % 50 == 0:
                        model.one.clear_cache(model)
                    cr.commit()
        except Exception as error:
            problems.append(error)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert not request.states_with_view


# -- filling from the second level


def test_the_first_miss_of_a_request_asks_what_others_know_and_only_it(
        model, cr, monkeypatch, in_a_request):
    asked = []

    def fill(found):
        asked.append(found.name)
        found.polled = True
        cache = type(model).__dict__['one'].clear_cache.__self__
        return found.level.put(found.level.epoch, [(cache.lru(model), (1, 'a'), 'from elsewhere')])
    monkeypatch.setattr(decorator, 'fill', fill)
    assert model.one(cr, 1, 'a') == 'from elsewhere'
    assert model.one(cr, 1, 'b') == 'b'
    assert asked == [model.pool.db_name]
    assert model.calls == ['b']
