# -*- coding: utf-8 -*-
"""Fixtures for what talks to a real Redis but to no host.

  settings_of     a function: settings for a testbed server, with changes
  shared_redis    one Redis for the whole session; every test uses a prefix of its own
  store           a Store on it
  sealing         fresh keys
  sessions_of     a function: a session store, as another node would make it
  sessions        one session store, with the tests' own session class (tabs.py)
  round_trips     counts the round trips of a block: `with round_trips() as count: ...; count()`
"""
import contextlib
import itertools
import os

import pytest
from tabs import TabPolicy
from testbed.redis_server import RedisServer

from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.sessions.store import RedisSessionStore
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store, connection

_prefixes = itertools.count(1)


@pytest.fixture(scope='session')
def shared_redis(session_folder):
    server = RedisServer(os.path.join(session_folder, 'shared-redis'), name='shared-redis').start()
    yield server
    server.kill_all()


@pytest.fixture
def settings_of():
    def make(server, **changes):
        changes.setdefault('redis_url', server.url)
        return load_settings().replace(**changes)
    return make


@pytest.fixture
def fresh_prefix():
    return lambda: 'test%d' % next(_prefixes)


@pytest.fixture
def store(shared_redis, settings_of, fresh_prefix):
    made = Store(settings_of(shared_redis, redis_prefix=fresh_prefix()))
    yield made
    made.close()


@pytest.fixture
def sealing():
    return Sealing(None, [key_file.new_key()])


@pytest.fixture
def sessions_of(store, sealing):
    def make(policy=None, store=store, sealing=sealing, **changes):
        return RedisSessionStore(store, sealing, load_settings().replace(**changes), policy or TabPolicy())
    return make


@pytest.fixture
def sessions(sessions_of):
    return sessions_of()


@pytest.fixture
def round_trips(monkeypatch):
    counted = []

    def counting(original):
        def call(*args, **options):
            counted.append(args[1:2])
            return original(*args, **options)
        return call
    monkeypatch.setattr(connection._Client, 'execute_command', counting(connection._Client.execute_command))
    monkeypatch.setattr(connection._Pipeline, 'execute', counting(connection._Pipeline.execute))

    @contextlib.contextmanager
    def count():
        before = len(counted)
        yield lambda: len(counted) - before
    return count
