# -*- coding: utf-8 -*-
"""Parallel requests, log-in, log-out, time to live and cost of sessions, on a real Redis."""
import time

import pytest
from tabs import Tab, tab
from testbed.waiting import wait_until

from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.store import Store


@pytest.fixture
def signed_in(sessions):
    """A session in which user 1 is signed in, in the tab `t`."""
    session = sessions.new()
    tab(session, 't').sign_in(1)
    sessions.save(session)
    return session


def everything(store):
    return sorted(store.client().scan_iter(match=store.keys.prefix + ':*'))


# -------------------------------------------------------------------- parallel requests

def test_two_requests_change_different_values_and_both_stay(sessions, signed_in):
    one, other = sessions.get(signed_in.sid), sessions.get(signed_in.sid)
    one['first'], other['second'] = 1, 2
    sessions.save(one)
    sessions.save(other)
    again = sessions.get(signed_in.sid)
    assert (again['first'], again['second']) == (1, 2)


def test_two_requests_change_one_value_and_both_stay(sessions, signed_in):
    one, other = sessions.get(signed_in.sid), sessions.get(signed_in.sid)
    one['t'].waiting['r1'], other['t'].waiting['r2'] = 'call 1', 'call 2'
    other['t'].context['lang'] = 'de_DE'
    sessions.save(one)
    sessions.save(other)
    again = sessions.get(signed_in.sid)['t']
    assert again.waiting == {'r1': 'call 1', 'r2': 'call 2'}
    assert again.context == {'lang': 'de_DE'}


def test_a_slower_request_does_not_undo_a_log_out(sessions, signed_in):
    slow, fast = sessions.get(signed_in.sid), sessions.get(signed_in.sid)
    fast['t'].ended = True
    sessions.save(fast)
    slow['t'].context['lang'] = 'de_DE'
    slow['t'].sign_in(2)
    sessions.save(slow)
    assert sessions.get(signed_in.sid).new
    assert list(sessions.list()) == []


def test_a_slower_request_does_not_undo_the_log_out_of_one_of_two_tabs(sessions, signed_in):
    session = sessions.get(signed_in.sid)
    tab(session, 'other').sign_in(2)
    sessions.save(session)
    slow, fast = sessions.get(session.sid), sessions.get(session.sid)
    fast['t'].ended = True
    sessions.save(fast)
    slow['t'].context['lang'] = 'de_DE'
    sessions.save(slow)
    again = sessions.get(session.sid)
    assert 't' not in again and again['other'].user[1] == 2


def test_a_log_in_that_began_after_the_log_out_holds(sessions, signed_in):
    session = sessions.get(signed_in.sid)
    tab(session, 'other').sign_in(2)
    sessions.save(session)
    leaving = sessions.get(session.sid)
    leaving['t'].ended = True
    sessions.save(leaving)
    returning = sessions.get(leaving.sid)
    tab(returning, 't').sign_in(3)
    sessions.save(returning)
    assert sessions.get(returning.sid)['t'].user[1] == 3


def test_a_log_in_survives_a_slower_request_that_only_read(sessions):
    session = sessions.new()
    tab(session, 't').waiting['r'] = 'call'
    sessions.save(session)
    slow, login = sessions.get(session.sid), sessions.get(session.sid)
    login['t'].sign_in(1)
    sessions.save(login)
    slow['t'].waiting['r2'] = 'another call'
    sessions.save(slow)
    again = sessions.get(login.sid)
    assert again['t'].user[1] == 1
    assert again['t'].waiting == {'r': 'call', 'r2': 'another call'}


def test_a_log_in_survives_the_end_of_its_session(sessions, signed_in):
    login, revoked = sessions.get(signed_in.sid), signed_in
    tab(login, 'new').sign_in(2)
    sessions.delete(revoked)
    sessions.save(login)
    again = sessions.get(login.sid)
    assert list(again) == ['new'] and again['new'].user[1] == 2


def test_a_request_of_an_ended_session_writes_nothing(sessions, signed_in, store):
    slow = sessions.get(signed_in.sid)
    sessions.delete(signed_in)
    slow['t'].context['lang'] = 'de_DE'
    slow['more'] = 1
    sessions.save(slow)
    assert list(sessions.list()) == []


def test_a_failed_check_of_the_old_password_does_not_undo_a_log_in(sessions, signed_in):
    failing, login = sessions.get(signed_in.sid), sessions.get(signed_in.sid)
    failing['t'].user = None
    login['t'].sign_in(1, password='the new one')
    sessions.save(login)
    sessions.save(failing)
    assert sessions.get(login.sid)['t'].password == 'the new one'


# -------------------------------------------------------------------- ids

def test_a_log_in_changes_the_id_and_the_old_one_is_dead(sessions):
    session = sessions.new()
    tab(session, 't').waiting['r'] = 'call'
    sessions.save(session)
    login = sessions.get(session.sid)
    assert login.sid == session.sid
    login['t'].sign_in(1)
    promised = login.sid
    assert promised != session.sid
    sessions.save(login)
    assert login.sid == promised
    assert sessions.get(session.sid).new
    assert sessions.get(promised)['t'].user[1] == 1


def test_a_planted_id_never_becomes_a_session(sessions):
    planted = 'b' * 40
    session = sessions.get(planted)
    tab(session, 't').sign_in(1)
    sessions.save(session)
    assert session.sid != planted
    assert sessions.get(planted).new


def test_whoever_holds_the_old_id_cannot_write_plain_values_into_the_new_session(sessions):
    session = sessions.new()
    tab(session, 't').waiting['r'] = 'call'
    sessions.save(session)
    attacker, victim = sessions.get(session.sid), sessions.get(session.sid)
    victim['t'].sign_in(1)
    sessions.save(victim)
    attacker['saved_actions'] = 'do as I say'
    sessions.save(attacker)
    assert 'saved_actions' not in sessions.get(victim.sid)
    assert attacker.sid == session.sid  # and he does not learn the new one


# -------------------------------------------------------------------- what is stored, and how long

def test_an_anonymous_session_stores_nothing_until_there_is_something_to_lose(sessions, store, round_trips):
    session = sessions.new()
    tab(session, 't')
    session['saved_actions'] = {'next': 1}
    with round_trips() as count:
        sessions.save(session)
        assert count() == 0
    assert everything(store) == []


def test_a_kept_session_is_stored_though_it_is_empty(sessions):
    session = sessions.new()
    session.keep = True
    sessions.save(session)
    assert not sessions.get(session.sid).new


def test_the_log_out_of_the_last_user_ends_the_session_with_all_plain_values(sessions, signed_in, store):
    session = sessions.get(signed_in.sid)
    session['saved_actions'] = {'next': 1}
    sessions.save(session)
    leaving = sessions.get(session.sid)
    leaving['t'].ended = True
    sessions.save(leaving)
    assert list(sessions.list()) == []
    assert list(store.client().scan_iter(match=store.keys.session_index_pattern())) == []


def test_no_key_is_ever_without_a_time_to_live(sessions, signed_in, store):
    leaving = sessions.get(signed_in.sid)
    tab(leaving, 'u').sign_in(2)
    sessions.save(leaving)
    again = sessions.get(leaving.sid)
    again['u'].ended = True
    sessions.save(again)
    keys = everything(store)
    assert len(keys) >= 4  # session, index, tombstones, move
    assert [key for key in keys if store.client().pttl(key) <= 0] == []


def test_signed_in_and_anonymous_sessions_have_their_own_lives(sessions_of, store):
    sessions = sessions_of(session_ttl=1000, session_anonymous_ttl=100)
    session = sessions.new()
    tab(session, 't').waiting['r'] = 'call'
    sessions.save(session)
    assert 90 < store.client().ttl(store.keys.session(session.sid)) <= 100
    session['t'].sign_in(1)
    sessions.save(session)
    assert 990 < store.client().ttl(store.keys.session(session.sid)) <= 1000


def test_use_prolongs_a_session_but_not_at_every_request(sessions_of, store):
    def a_process():
        return sessions_of(session_ttl=1000, session_touch_seconds=100)
    session = a_process().new()
    tab(session, 't').sign_in(1)
    a_process().save(session)
    key = store.keys.session(session.sid)
    index = store.keys.session_index('db', 1)
    store.client().expire(key, 950)
    a_process().get(session.sid)
    assert store.client().ttl(key) <= 950
    store.client().expire(key, 890)
    store.client().expire(index, 890)
    a_process().get(session.sid, touch=False)
    assert store.client().ttl(key) <= 890
    before = store.client().zscore(index, session.sid)
    time.sleep(0.01)
    a_process().get(session.sid)
    assert store.client().ttl(key) > 990
    assert store.client().ttl(index) > 990
    assert store.client().zscore(index, session.sid) > before


def scripts_run(store):
    return store.client().info('commandstats').get('cmdstat_evalsha', {}).get('calls', 0)


def test_a_process_that_knows_when_a_session_is_due_only_reads_it_until_then(sessions_of, store):
    sessions = sessions_of(session_ttl=1000, session_touch_seconds=3)
    session = sessions.new()
    tab(session, 't').sign_in(1)
    sessions.save(session)
    key = store.keys.session(session.sid)
    sessions.get(session.sid)
    before = scripts_run(store)
    for touch in (True, False, True):
        assert sessions.get(session.sid, touch)['t'].user[1] == 1
    assert scripts_run(store) == before and store.client().pttl(key) < 1000000
    time.sleep(3.1)
    left = store.client().pttl(key)
    sessions.get(session.sid, touch=False)
    assert store.client().pttl(key) <= left < 997000
    sessions.get(session.sid)
    assert store.client().pttl(key) > 997000 and scripts_run(store) == before + 1
    store.client().delete(key)
    assert sessions.get(session.sid).new


def test_what_took_the_place_of_a_known_session_is_refused(sessions, signed_in, store):
    sessions.get(signed_in.sid)
    key = store.keys.session(signed_in.sid)
    store.client().delete(key)
    store.client().set(key, 'foreign')
    with pytest.raises(RedisUnavailable):
        sessions.get(signed_in.sid)
    assert sessions.get(signed_in.sid).new and sessions.rejected == 1


def test_of_how_many_sessions_a_process_knows_when_they_are_due_is_bounded(sessions, monkeypatch):
    monkeypatch.setattr('oe_cluster_launch.sessions.store._MOST_DUE', 3)
    for number in range(10):
        session = sessions.new()
        tab(session, 't').sign_in(number + 1)
        sessions.save(session)
        sessions.get(session.sid)
        assert 1 <= len(sessions._due) <= 3


def test_a_session_nobody_uses_ends(sessions, signed_in, store):
    store.client().pexpire(store.keys.session(signed_in.sid), 30)
    wait_until(lambda: sessions.get(signed_in.sid, touch=False).new, 5, "it has ended")


# -------------------------------------------------------------------- cost

def test_opening_costs_one_round_trip_and_closing_an_unchanged_session_none(sessions, signed_in, round_trips):
    sessions.get(signed_in.sid)
    with round_trips() as count:
        session = sessions.get(signed_in.sid)
        assert count() == 1
        assert session['t'].user[1] == 1
        sessions.save(session)
        assert count() == 1


def test_a_change_costs_one_round_trip_and_a_conflict_one_more(sessions, signed_in, round_trips):
    other = sessions.get(signed_in.sid)
    session = sessions.get(signed_in.sid)
    session['t'].context['lang'] = 'de_DE'
    sessions.save(session)
    session['t'].context['lang'] = 'fr_FR'
    with round_trips() as count:
        sessions.save(session)
        assert count() == 1
    other['t'].waiting['r'] = 'call'
    with round_trips() as count:
        sessions.save(other)
        assert count() == 2


def test_a_new_session_costs_nothing_to_open_and_a_malformed_id_neither(sessions, round_trips):
    with round_trips() as count:
        sessions.new()
        sessions.get('../../etc/passwd')
        assert count() == 0


def test_equal_values_with_different_pickles_are_no_change(sessions, signed_in, round_trips):
    session = sessions.get(signed_in.sid)
    words = ['de_', 'DE']
    session['t'].context.update(lang=''.join(words), tz=''.join(words))
    sessions.save(session)
    again = sessions.get(session.sid)
    shared = ''.join(words)
    again['t'].context.update(lang=shared, tz=shared)  # one object twice pickles differently
    with round_trips() as count:
        sessions.save(again)
        assert count() == 0


# -------------------------------------------------------------------- keys and faults

def test_a_rotated_key_logs_nobody_out_and_sessions_move_to_the_new_one(sessions_of, store, signed_in):
    old, new = key_file.new_key(), key_file.new_key()
    before = sessions_of(sealing=Sealing(None, [old]))
    session = before.new()
    tab(session, 't').sign_in(1)
    before.save(session)
    during = sessions_of(sealing=Sealing(None, [new, old]))
    used = during.get(session.sid)
    assert used['t'].user[1] == 1
    during.save(used)
    after = sessions_of(sealing=Sealing(None, [new]))
    assert after.get(session.sid)['t'].user[1] == 1
    assert after.rejected == 0


def test_a_class_that_is_not_allowed_is_not_stored_and_the_rest_of_the_session_is(
        sessions, signed_in, caplog):
    session = sessions.get(signed_in.sid)
    session['t'].context['lang'] = 'de_DE'
    session['foreign'] = pytest.raises  # a function: its pickle is a name
    sessions.save(session)
    again = sessions.get(session.sid)
    assert 'foreign' not in again and again['t'].context == {'lang': 'de_DE'}
    assert 'unpickle_allow' in caplog.text


def test_a_key_that_holds_something_else_gets_a_fresh_session(sessions, store):
    store.client().set(store.keys.session('c' * 40), 'a string', px=60000)
    assert sessions.get('c' * 40).new
    assert sessions.rejected == 1


def test_without_redis_opening_says_so_and_does_not_give_a_fresh_session(
        redis_server, settings_of, sessions_of):
    sessions = sessions_of(store=Store(settings_of(redis_server)))
    session = sessions.new()
    tab(session, 't').sign_in(1)
    sessions.save(session)
    redis_server.kill_all()
    with pytest.raises(RedisUnavailable):
        sessions.get(session.sid)
    session['t'] = Tab()
    with pytest.raises(RedisUnavailable):
        sessions.save(session)
