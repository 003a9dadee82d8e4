# -*- coding: utf-8 -*-
"""Which sessions exist and whose they are: the index can neither leak nor go stale."""
import pytest
from tabs import tab
from testbed.waiting import wait_until

from oe_cluster_launch.sessions.index import SessionIndex


@pytest.fixture
def index(store, sessions):
    return SessionIndex(store, sessions)


@pytest.fixture
def sign_in(sessions):
    """A function: a new session in which a user is signed in."""
    def make(uid=1, database='db', name='t'):
        session = sessions.new()
        tab(session, name).sign_in(uid, database)
        sessions.save(session)
        return session
    return make


def members(store, database, uid):
    return [entry.decode('ascii') for entry in
            store.client().zrange(store.keys.session_index(database, uid), 0, -1)]


def test_a_user_is_found_with_all_his_sessions_and_nobody_elses(index, sign_in):
    one, two = sign_in(1), sign_in(1)
    sign_in(2)
    sign_in(1, database='other')
    assert {listed.session_id for listed in index.of_user('db', 1)} == {one.sid, two.sid}


def test_a_log_out_leaves_the_index_at_once(index, sessions, sign_in, store):
    session = sessions.get(sign_in(1).sid)
    session['t'].ended = True
    sessions.save(session)
    assert members(store, 'db', 1) == []


def test_a_revocation_leaves_the_index_at_once(sessions, sign_in, store):
    session = sign_in(1)
    assert sessions.end(session.sid) is True
    assert members(store, 'db', 1) == []
    assert sessions.end(session.sid) is False


def test_the_index_follows_a_session_to_its_new_id(index, sessions, sign_in, store):
    session = sessions.get(sign_in(1).sid)
    tab(session, 'u').sign_in(2)
    sessions.save(session)
    assert members(store, 'db', 1) == members(store, 'db', 2) == [session.sid]


def test_a_session_whose_user_changes_is_the_new_users_alone(index, sessions, sign_in, store):
    session = sessions.get(sign_in(1).sid)
    session['t'].sign_in(2)
    sessions.save(session)
    assert (members(store, 'db', 1), members(store, 'db', 2)) == ([], [session.sid])


def test_entries_of_sessions_that_ended_by_themselves_are_not_listed_and_go_at_the_next_log_in(
        index, sessions_of, store):
    short = sessions_of(session_ttl=0.1)
    session = short.new()
    tab(session, 't').sign_in(1)
    short.save(session)
    key = store.keys.session_index('db', 1)
    store.client().persist(key)  # let the entry outlive its session, for the test's sake
    wait_until(lambda: not store.client().exists(store.keys.session(session.sid)), 5, "it has ended")
    assert members(store, 'db', 1) == [session.sid]
    assert index.of_user('db', 1) == []
    again = sessions_of().new()
    tab(again, 't').sign_in(1)
    sessions_of().save(again)
    assert members(store, 'db', 1) == [again.sid]


def test_an_index_ends_with_its_last_session(sessions_of, store):
    short = sessions_of(session_ttl=0.1)
    session = short.new()
    tab(session, 't').sign_in(1)
    short.save(session)
    wait_until(lambda: not list(store.client().scan_iter(match=store.keys.session_index_pattern())), 5,
               "the index has ended")


@pytest.mark.parametrize('database', ['db', 'a*b', 'a:1', u'd\xe9p\xf4t', 'x y', '%', '[a-z]'])
def test_any_database_name_is_found_and_only_that(index, sign_in, database):
    session = sign_in(1, database=database)
    sign_in(1, database='axb')
    sign_in(1, database='a')
    assert [listed.session_id for listed in index.find(database=database)] == [session.sid]


def test_sessions_are_found_by_login_and_database(index, sign_in):
    one = sign_in(1)
    sign_in(2)
    sign_in(1, database='other')
    assert [listed.session_id for listed in index.find('db', 'login1')] == [one.sid]
    assert len(list(index.find(login='login1'))) == 2
    assert len(list(index.find())) == 3


def test_the_end_of_a_user_holds_for_every_store_from_the_next_request(index, sessions_of, sign_in):
    one, two, other = sign_in(1), sign_in(1), sign_in(2)
    assert index.end_user('db', 1) == 2
    elsewhere = sessions_of()
    assert elsewhere.get(one.sid).new and elsewhere.get(two.sid).new
    assert not elsewhere.get(other.sid).new


def test_five_hundred_sessions_are_listed_and_ended(index, sessions, sign_in):
    for number in range(500):
        sign_in(1 + number % 3)
    assert len(list(index.find())) == 500
    assert index.end_found(login='login1') == 167
    assert index.end_found() == 333
    assert list(index.find()) == []


def test_a_session_is_found_by_the_start_of_its_handle_and_by_its_id(index, sign_in):
    session = sign_in(1)
    listed = index.find_one(session.sid)
    assert listed.session_id == session.sid and listed.values == ['t']
    assert index.find_one(listed.handle).session_id == session.sid
    assert index.find_one(listed.handle[:6]).session_id == session.sid
    assert index.find_one('no such') is None
    assert session.sid not in listed.handle


def test_looking_does_not_prolong_a_life(index, sign_in, store):
    session = sign_in(1)
    store.client().expire(store.keys.session(session.sid), 1000)
    list(index.find())
    index.find_one(session.sid)
    assert store.client().ttl(store.keys.session(session.sid)) <= 1000


def test_a_session_sealed_with_another_key_is_listed_as_such_and_can_be_ended(index, sessions_of):
    from oe_cluster_launch.sealing import Sealing, key_file
    foreign = sessions_of(sealing=Sealing(None, [key_file.new_key()]))
    session = foreign.new()
    tab(session, 't').sign_in(1)
    foreign.save(session)
    listed = index.find_one(session.sid)
    assert not listed.readable and listed.users == []
    assert index.end_found() == 1
    assert foreign.get(session.sid).new
