# -*- coding: utf-8 -*-
"""The spool against a real Redis: two processes' spools, one job."""
import pytest
from testbed.waiting import wait_until

from oe_cluster_launch import spool as spool_module
from oe_cluster_launch.errors import RedisUnavailable, SealError
from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.spool import DONE, FAILED, LOST, PENDING, Spool
from oe_cluster_launch.store import Store

KEYS = [key_file.new_key()]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(spool_module, 'BEAT_SECONDS', 0.1)
    monkeypatch.setattr(spool_module, 'LOST_SECONDS', 0.6)


@pytest.fixture
def spool_of(redis_server):
    def make(node='a', keys=KEYS, **more):
        settings = load_settings().replace(redis_url=redis_server.url)
        return Spool(Store(settings), Sealing(None, keys), node, more.pop('ttl_seconds', 60), **more)
    return make


def key_of(job_id):
    return 'oe:report:x:1:%d' % job_id


def milliseconds_left(redis_server, key):
    return int(redis_server.ask('PTTL', key))


def test_what_one_process_ends_another_reads(spool_of):
    a, b = spool_of('a'), spool_of('b')
    job = a.open(key_of)
    assert b.look(job.key) == (PENDING, None, 'a')
    job.end(DONE, (b'%PDF', 'pdf'))
    assert b.look(job.key) == (DONE, (b'%PDF', 'pdf'), 'a')


def test_a_failure_is_told(spool_of):
    job = spool_of().open(key_of)
    job.end(FAILED, ('title', 'text'))
    assert spool_of('b').look(job.key)[:2] == (FAILED, ('title', 'text'))


def test_an_unknown_job_is_none(spool_of):
    assert spool_of().look(key_of(7)) is None


def test_a_job_that_no_longer_beats_is_lost(spool_of):
    job = spool_of('a').open(key_of)
    other = spool_of('b')
    assert other.look(job.key).state == PENDING
    wait_until(lambda: other.look(job.key) == (LOST, None, 'a'), 5, "it is lost")


def test_a_job_at_work_is_not_lost_and_tells_how_far_it_is(spool_of):
    job = spool_of('a').open(key_of)
    other, progress = spool_of('b'), []
    with job.at_work(lambda: progress.append(1) or len(progress)):
        seen = wait_until(lambda: [s for s in [other.look(job.key)] if (s.value or 0) > 10], 10, "ten beats")
        assert seen[0].state == PENDING
        job.end(DONE, 'x')
    assert other.look(job.key).state == DONE


def test_a_beat_that_comes_late_does_not_undo_the_end(spool_of):
    spool = spool_of()
    job = spool.open(key_of)
    job.end(DONE, 'x')
    assert not spool.write(job.key, 'beat', PENDING, 0.5)
    assert spool.look(job.key).state == DONE


def test_two_jobs_never_share_an_id(spool_of, monkeypatch):
    ids = iter([5, 5, 6])
    monkeypatch.setattr(spool_module._random, 'randint', lambda low, high: next(ids))
    spool = spool_of()
    assert [spool.open(key_of).id, spool.open(key_of).id] == [5, 6]


def test_every_job_ends_by_its_time_to_live(spool_of, redis_server):
    job = spool_of(ttl_seconds=120).open(key_of)
    assert 0 < milliseconds_left(redis_server, job.key) <= 120 * 1000
    job.end(DONE, 'x')
    assert 60 * 1000 < milliseconds_left(redis_server, job.key) <= 120 * 1000
    spool_of().look(job.key)
    assert 0 < milliseconds_left(redis_server, job.key) <= 60 * 1000


def test_the_end_of_a_forgotten_job_is_not_written(spool_of, redis_server):
    spool = spool_of()
    job = spool.open(key_of)
    spool.forget('oe:report:x:*')
    job.end(DONE, 'x')
    assert spool.look(job.key) is None


def test_a_value_copied_to_another_key_is_refused(spool_of, redis_server):
    spool = spool_of()
    job = spool.open(key_of)
    job.end(DONE, 'secret')
    redis_server.ask('COPY', job.key, key_of(1) + 'x')
    with pytest.raises(SealError):
        spool.look(key_of(1) + 'x')


def test_the_value_is_not_readable_in_redis_nor_with_another_key_file(spool_of, redis_server):
    job = spool_of().open(key_of)
    job.end(DONE, 'a secret figure')
    assert 'secret' not in redis_server.ask('HGETALL', job.key)
    with pytest.raises(SealError):
        spool_of(keys=[key_file.new_key()]).look(job.key)


def test_a_job_is_not_begun_when_redis_is_away(spool_of, redis_server):
    redis_server.kill_all()
    with pytest.raises(RedisUnavailable):
        spool_of().open(key_of)


def test_an_end_survives_an_outage_of_redis(spool_of, monkeypatch):
    spool = spool_of()
    job = spool.open(key_of)
    run, outages = spool._store.run, [1, 2, 3]

    def away(*arguments):
        if outages.pop():
            raise RedisUnavailable("away")
        return run(*arguments)
    monkeypatch.setattr(spool._store, 'run', away)
    outages[:0] = [0]
    job.end(DONE, 'x')
    assert spool_of().look(job.key).state == DONE


def test_the_limit_counts_bytes(spool_of):
    assert spool_of(limit_bytes=10).fits(10)
    assert not spool_of(limit_bytes=10).fits(11)
    assert spool_of(limit_bytes=0).fits(10 ** 9)
