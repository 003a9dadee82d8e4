# -*- coding: utf-8 -*-
"""Whatever happens to Redis, two real workers answer right and in time, and share again when it is well.

One pair of workers goes through all of it, one disturbance after the other.
"""
import os
import re
import threading
import time

import pytest
from testbed import session
from testbed.node import write_secret_key
from testbed.redis_server import RedisServer
from testbed.waiting import wait_until
from workers import Worker

#: long enough that a busy machine does not reach it, short enough that a hang is not taken for work
TIMEOUT_SECONDS = 0.5
CHANGES = 24
#: without a breaker each change asks Redis; with one these are enough for minutes (1 + 2 + 4 + ... s)
MOST_ATTEMPTS = 8
#: many times the time-out; without one it would be forever
BOUND_SECONDS = 20.0
READING, ADDING = "The shared ormcache in Redis", "Adding to the shared ormcache in Redis"


class Slow(threading.Thread):
    """Redis that does nothing for longer than anybody waits, then works for a moment."""

    def __init__(self, server):
        super(Slow, self).__init__()
        self.daemon = True
        self._server, self._over = server, threading.Event()
        self.start()

    def run(self):
        while not self._over.is_set():
            self._server.pause()
            time.sleep(2 * TIMEOUT_SECONDS)
            self._server.resume()
            time.sleep(0.05)

    def end(self):
        self._over.set()
        self.join()


def restart(server):
    server.kill_all()
    server.start()


#: what happens to Redis: (how it begins, how it ends, which circuit opens while it lasts)
DISTURBANCES = {
    'hangs': (lambda server: server.pause(), lambda server, _: server.resume(), READING),
    'slow': (Slow, lambda server, slow: slow.end(), None),
    'away': (lambda server: server.kill_all(), lambda server, _: server.start(), READING),
    'restarted': (restart, lambda server, _: None, None),
    'flushed': (lambda server: server.ask('FLUSHALL'), lambda server, _: None, None),
    'full': (lambda server: server.ask('CONFIG', 'SET', 'maxmemory', '1'),
             lambda server, _: server.ask('CONFIG', 'SET', 'maxmemory', '0'), ADDING),
}


class Pair(object):
    """Two workers on one database and Redis, and the log of the first."""

    def __init__(self, postgres):
        self.postgres, self.database = postgres, 'redis_faults'
        postgres.create_database(self.database, 'tpl_base')
        self.redis = RedisServer(session.fresh_folder('redis')).start()
        folder = session.fresh_folder('redis_faults')
        key_file = write_secret_key(os.path.join(folder, 'key'))
        self._log = os.path.join(folder, 'worker.log')
        self.a, self.b = [
            Worker('ours', self.database, postgres, self.redis.url, key_file, WORKER_LOG=log,
                   OE_CLUSTER_ORMCACHE_TIMEOUT='%dms' % (TIMEOUT_SECONDS * 1000))
            for log in (self._log, os.devnull)]
        for worker in (self.a, self.b):
            worker.wait_until_ready()
            worker.call('res.users', 'search', [])

    def stop(self):
        for worker in (self.a, self.b):
            worker.stop()
        self.redis.kill_all()
        self.postgres.drop_database(self.database)

    def change_and_look(self, zone):
        """What one worker writes, both read next, in time."""
        begun = time.time()
        self.a.call('res.users', 'write', [1], {'tz': zone})
        for worker in (self.a, self.b):
            assert worker.call('res.users', 'context_get')['tz'] == zone
        assert time.time() - begun < BOUND_SECONDS

    def shared(self):
        """How many answers the first has sent, and the second has received."""
        return count(self.a, 'sent'), count(self.b, 'received')

    def told(self):
        """What the first worker's circuits have said so far: {circuit: ['left out', 'works', ...]}."""
        found = {}
        with open(self._log) as stream:
            for line in stream:
                match = re.search(r'store\.breaker: (.*?) (?:is (left out)|(works) again)', line)
                if match:
                    found.setdefault(match.group(1), []).append(match.group(2) or match.group(3))
        return found


def count(worker, what):
    return worker.run("from oe_cluster_launch.ormcache import decorator\n"
                      "answer = decorator.fill.__self__._level.counts[%r]" % what)


@pytest.fixture(scope='module')
def pair(postgres):
    started = Pair(postgres)
    yield started
    started.stop()


@pytest.mark.parametrize('disturbance', sorted(DISTURBANCES))
def test_whatever_happens_to_redis_answers_are_right_and_prompt_and_are_shared_again(pair, disturbance):
    begin, end, opened = DISTURBANCES[disturbance]
    for zone in ('Asia/Kolkata', 'Asia/Tokyo'):
        pair.change_and_look(zone)
    before, attempts = pair.told(), count(pair.a, 'round trips')
    handle = begin(pair.redis)
    try:
        for number in range(CHANGES):
            pair.change_and_look(('Asia/Tokyo', 'Europe/Rome')[number % 2])
        if opened == READING:
            assert 0 < count(pair.a, 'round trips') - attempts <= MOST_ATTEMPTS
    finally:
        end(pair.redis, handle)
    sent, received = pair.shared()

    def shared_again():
        pair.change_and_look('Asia/Tokyo')
        pair.change_and_look('Europe/Rome')
        now = pair.shared()
        return now[0] > sent and now[1] > received
    wait_until(shared_again, 90, "answers reach the other worker through Redis again")
    told = pair.told()
    for circuit, lines in told.items():  # one line each way, however many requests
        assert lines == (['left out', 'works'] * len(lines))[:len(lines)], (circuit, lines)
    if opened:
        assert told[opened][len(before.get(opened, [])):] == ['left out', 'works']
