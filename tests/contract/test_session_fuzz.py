# -*- coding: utf-8 -*-
"""10,000 hostile values: none is executed, none crashes a request, each user gets a fresh session."""
import os
import random

import pytest
from tabs import tab

from oe_cluster_launch.compat import PICKLE_PROTOCOL, pickle
from oe_cluster_launch.sealing import Sealing, key_file

VALUES = 10000
BATCH = 250
#: what is sealed by somebody who has our key, but names what is not on the list
HOSTILE_PICKLES = [
    b"cos\nsystem\n(S'touch %s'\ntR.",
    b"cposix\nsystem\n(S'touch %s'\ntR.",
    b"csubprocess\ncall\n((lS'touch'\naS'%s'\natR.",
    b"c__builtin__\neval\n(S'open(\"%s\", \"w\")'\ntR.",
    b"cbuiltins\neval\n(S'open(\"%s\", \"w\")'\ntR.",
    b"ctabs\nos.system\n(S'touch %s'\ntR.",
    b"cunknown.module\nUnknown\n(S'%s'\ntR.",
    b"(S'%s'\nios\nsystem\n.",
]


class Runs(object):
    """Unpickled with no guard, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def proof(tmpdir):
    """A path that exists as soon as any hostile value was executed."""
    return str(tmpdir.join('executed'))


def hostile(random_source, tokens, sealing, place, proof):
    """One hostile value for a field of a session."""
    kind = random_source.randrange(8)
    token = random_source.choice(tokens)
    if kind == 0:  # bits flipped
        at = random_source.randrange(len(token))
        return token[:at] + bytes(bytearray([bytearray(token)[at] ^ (1 << random_source.randrange(8))])) \
            + token[at + 1:]
    if kind == 1:  # cut
        return token[:random_source.randrange(len(token))]
    if kind == 2:  # noise
        return bytes(bytearray(random_source.randrange(256) for _ in range(random_source.randrange(300))))
    if kind == 3:  # a pickle in clear
        return pickle.dumps(Runs(proof), PICKLE_PROTOCOL)
    if kind == 4:  # sealed with a foreign key
        return Sealing(None, [key_file.new_key()]).seal(pickle.dumps(Runs(proof), 2), *place)
    if kind == 5:  # sealed with ours, for another place
        return sealing.seal(pickle.dumps({}, 2), 'session', 'f' * 40, place[2])
    if kind == 6:  # sealed with ours for this place, naming what is not allowed
        text = random_source.choice(HOSTILE_PICKLES) % proof.encode('ascii')
        return sealing.seal(text, *place)
    garbage = bytes(bytearray(random_source.randrange(256) for _ in range(random_source.randrange(1, 60))))
    return sealing.seal(garbage + b'.', *place)  # sealed with ours, and no pickle


def test_the_proof_would_exist_without_the_guard(proof):
    pickle.loads(pickle.dumps(Runs(proof), 2))
    assert os.path.exists(proof)


def test_ten_thousand_hostile_values_execute_nothing_and_crash_nothing(sessions, store, sealing, proof):
    random_source = random.Random(7)
    original = sessions.new()
    tab(original, 't').sign_in(1)
    sessions.save(original)
    stored = store.client().hgetall(store.keys.session(original.sid))
    tokens = [stored[b'=t'], stored[b'#about']]
    fresh = refused = 0
    for start in range(0, VALUES, BATCH):
        ids = ['%040x' % number for number in range(start, start + BATCH)]
        with_values = store.client().pipeline()
        for session_id in ids:
            field = random_source.choice([b'=t', b'=t', b'=t', b'#about'])
            value = hostile(random_source, tokens, sealing, ('session', session_id, field), proof)
            key = store.keys.session(session_id)
            with_values.hset(key, '#version', '1')
            with_values.hset(key, field, value)
            with_values.pexpire(key, 600000)
        with_values.execute()
        for session_id in ids:
            session = sessions.get(session_id)
            refused += session.new
            fresh += session.new and dict(session) == {} and session.sid != session_id
            assert 't' not in session or not sessions.policy.user(session['t'])
    assert not os.path.exists(proof)
    assert fresh == refused
    assert refused == sessions.rejected
    # a few bits are no change: trailing bits of base64, or noise that is a harmless pickle
    assert refused > VALUES * 0.97


def test_a_session_copied_under_another_id_is_refused(sessions, store):
    session = sessions.new()
    tab(session, 't').sign_in(1)
    sessions.save(session)
    stolen = 'd' * 40
    store.client().restore(store.keys.session(stolen), 60000,
                           store.client().dump(store.keys.session(session.sid)))
    assert sessions.get(stolen).new
    assert sessions.rejected == 1


def test_a_value_copied_to_another_name_of_the_same_session_is_refused(sessions, store):
    session = sessions.new()
    tab(session, 't').sign_in(1)
    sessions.save(session)
    key = store.keys.session(session.sid)
    store.client().hset(key, '=other', store.client().hget(key, '=t'))
    assert sessions.get(session.sid).new


def test_rejections_are_counted_each_time_and_logged_once(sessions, store, caplog):
    store.client().hset(store.keys.session('e' * 40), '#version', 'what')
    for _ in range(50):
        assert sessions.get('e' * 40).new
    assert sessions.rejected == 50
    assert len([record for record in caplog.records if 'is refused' in record.getMessage()]) == 1
    assert 'e' * 40 not in caplog.text  # an id is a password


def test_a_rejected_session_is_left_as_it_is(sessions, store):
    key = store.keys.session('e' * 40)
    store.client().hset(key, '#version', 'what')
    session = sessions.get('e' * 40)
    tab(session, 't').sign_in(1)
    sessions.save(session)
    assert store.client().hgetall(key) == {b'#version': b'what'}
    assert sessions.get(session.sid)['t'].user[1] == 1
