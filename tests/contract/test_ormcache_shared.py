# -*- coding: utf-8 -*-
"""The shared ormcache on a real Redis: what one process shares another gets, and nothing else does."""
import logging
import time

import pytest

from oe_cluster_launch.ormcache.shared import Answer, SharedLevel
from oe_cluster_launch.ormcache.values import keep
from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store
from oe_cluster_launch.store.breaker import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, Breaker

KEY = key_file.new_key()
PLACE = ('db-1-2', '17-1-1')
NEXT = ('db-1-2', '17-1-2')


def level_on(server, key=KEY, log_limit=1 << 20, value_limit=1000, timeout='500ms', **environment):
    settings = load_settings(None, dict(environment, OE_CLUSTER_REDIS_URL=server.url,
                                        OE_CLUSTER_ORMCACHE_TIMEOUT=timeout))
    return SharedLevel(Store(settings, settings.ormcache_timeout), Sealing(None, [key]), 60,
                       log_limit, value_limit)


@pytest.fixture
def level(redis_server):
    """A function: one process's shared level on the test's Redis."""
    return lambda **more: level_on(redis_server, **more)


def answers(*pairs):
    """Triples (model, method, key) and kept values, as a request hands them over."""
    return [(('model', 'module:method:1', key), keep(value)) for key, value in pairs]


def pairs(fetched):
    return [(answer.key, answer.value) for answer in fetched]


def client_of(level):
    return level._store.client()


def the_log(level, place=PLACE):
    return level._store.keys.cache(*place)


def test_what_one_process_shares_all_others_get_once(level):
    a, b, c = level(), level(), level()
    a.publish('db', PLACE, answers(((1, 'x'), {'k': [1, 2]}), ((2, 'y'), u'\xe9')))
    assert b.fetch('db', PLACE) == [Answer('model', 'module:method:1', (1, 'x'), {'k': [1, 2]}),
                                    Answer('model', 'module:method:1', (2, 'y'), u'\xe9')]
    assert b.fetch('db', PLACE) == []
    a.publish('db', PLACE, answers(((3,), None)))
    assert pairs(b.fetch('db', PLACE)) == [((3,), None)]
    assert len(c.fetch('db', PLACE)) == 3


def test_a_process_does_not_read_back_what_it_shared(level):
    a = level()
    a.fetch('db', PLACE)
    a.publish('db', PLACE, answers(((1,), 1)))
    assert a.fetch('db', PLACE) == []


def test_another_generation_is_another_log(level):
    a, b = level(), level()
    a.publish('db', PLACE, answers(((1,), 'old')))
    assert b.fetch('db', NEXT) == []
    a.publish('db', NEXT, answers(((1,), 'new')))
    assert pairs(b.fetch('db', NEXT)) == [((1,), 'new')]


def test_reading_and_sharing_cost_one_round_trip_each_however_many_answers(level):
    a, b = level(), level()
    a.publish('db', PLACE, answers(*(((n,), n) for n in range(500))))
    assert len(b.fetch('db', PLACE)) == 500
    assert (a.counts['round trips'], b.counts['round trips']) == (1, 1)


def test_what_no_other_process_could_use_or_is_too_large_stays_here(level):
    a, b = level(), level()
    a.publish('db', PLACE, answers(((object(),), 1), (('long',), 'x' * 2000), (('good',), 1)))
    assert pairs(b.fetch('db', PLACE)) == [(('good',), 1)]


def test_a_log_disappears_when_nobody_reads_or_writes_it_and_lives_while_somebody_does(level):
    a, b = level(), level()
    a.publish('db', PLACE, answers(((1,), 1)))
    client = client_of(a)
    assert 0 < client.pttl(the_log(a)) <= 60000
    client.pexpire(the_log(a), 5000)
    b.fetch('db', PLACE)
    assert client.pttl(the_log(a)) > 50000


def test_a_log_never_grows_over_its_limit(level):
    a, b = level(log_limit=3000), level()
    for number in range(50):
        a.publish('db', PLACE, answers(((number,), 'x' * 100)))
    stored = client_of(a).lrange(the_log(a), 1, -1)
    assert sum(map(len, stored)) <= 3000
    assert len(b.fetch('db', PLACE)) == len(stored) > 5


def test_a_log_that_was_dropped_and_begun_anew_is_read_from_its_beginning(level):
    a, b = level(), level()
    for number in range(3):
        a.publish('db', PLACE, answers(((number,), number)))
    assert len(b.fetch('db', PLACE)) == 3
    client_of(a).flushall()
    for number in range(10, 15):
        a.publish('db', PLACE, answers(((number,), number)))
    assert [key for key, _value in pairs(b.fetch('db', PLACE))] == [(n,) for n in range(10, 15)]


@pytest.mark.parametrize('forge', [
    lambda batch: b'x' + batch[1:], lambda batch: batch[:-1], lambda batch: b'',
    lambda batch: batch[:36] + b'junk',
], ids=['other key', 'cut', 'empty', 'other text'])
def test_what_was_not_signed_by_a_node_is_never_read(level, forge, caplog):
    a, b = level(), level()
    a.publish('db', PLACE, answers(((1,), 'right')))
    batch = client_of(a).lindex(the_log(a), 1)
    client_of(a).lset(the_log(a), 1, forge(batch))
    a.publish('db', PLACE, answers(((2,), 'right too')))
    assert pairs(b.fetch('db', PLACE)) == [((2,), 'right too')]
    assert b.counts['refused'] == 1


def test_a_batch_copied_from_another_place_is_never_read(level):
    a, b = level(), level()
    a.publish('db', PLACE, answers(((1,), 'old')))
    a.publish('db', NEXT, answers(((2,), 'new')))
    client_of(a).rpush(the_log(a, NEXT), client_of(a).lindex(the_log(a, PLACE), 1))
    assert pairs(b.fetch('db', NEXT)) == [((2,), 'new')]


def test_another_clusters_batches_are_never_read(level):
    level(key=key_file.new_key()).publish('db', PLACE, answers(((1,), 1)))
    assert level().fetch('db', PLACE) == []


def test_without_redis_there_is_one_line_little_waiting_and_recovery_by_itself(redis_server, level, caplog):
    caplog.set_level(logging.INFO)
    a, b = level(timeout='200ms'), level()
    redis_server.pause()
    begun = time.time()
    for _ in range(200):
        assert a.fetch('db', PLACE) == []
        a.publish('db', PLACE, answers(((1,), 1)))
    assert time.time() - begun < 5, "200 requests waited for a Redis that does not answer"
    redis_server.resume()
    for _ in range(200):
        a.fetch('db', PLACE)
        if not a._reading.is_open:
            break
        time.sleep(0.1)
    a.publish('db', PLACE, answers(((1,), 1)))
    assert pairs(b.fetch('db', PLACE)) == [((1,), 1)]
    lines = [record.levelname for record in caplog.records if 'ormcache' in record.getMessage()]
    assert lines == ['WARNING', 'INFO']


def test_a_full_redis_is_still_read(redis_server, level, caplog):
    a, b = level(), level()
    a.publish('db', PLACE, answers(((1,), 1)))
    client_of(a).config_set('maxmemory', '1')
    a.publish('db', PLACE, answers(((2,), 2)))
    assert a._writing.is_open
    assert pairs(b.fetch('db', PLACE)) == [((1,), 1)]
    client_of(a).config_set('maxmemory', '0')


class Clock(object):
    now = 100.0

    def __call__(self):
        return self.now


def test_an_open_circuit_permits_one_attempt_per_wait_and_waits_longer_each_time():
    clock = Clock()
    breaker = Breaker("The thing", clock)
    assert breaker.permits()
    breaker.failed('gone')
    waits = []
    for _ in range(8):
        begun = clock.now
        while not breaker.permits():
            clock.now += 0.25
        assert not breaker.permits()
        waits.append(clock.now - begun)
        breaker.failed('still gone')
    assert waits[:3] == [FIRST_WAIT_SECONDS, 2 * FIRST_WAIT_SECONDS, 4 * FIRST_WAIT_SECONDS]
    assert waits[-1] == LONGEST_WAIT_SECONDS
    breaker.succeeded()
    assert breaker.permits()
    assert breaker.permits()
