# -*- coding: utf-8 -*-
"""Real servers of every kind: how they are reached, how they fail, and what an operator reads then."""
import os
import signal
import time

import pytest
from tabs import tab
from testbed.waiting import wait_until

from oe_cluster_launch.compat import quote
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.store import Store
from oe_cluster_launch.store.server_checks import apply_findings, check_server

PASSWORD = u'p@ss/w:rd %1'


@pytest.fixture
def use(sessions_of):
    """A function: keep a session in that store and find it again, as two nodes would."""
    def keep_and_find(store):
        session = sessions_of(store=store).new()
        tab(session, 't').sign_in(1)
        sessions_of(store=store).save(session)
        assert sessions_of(store=store).get(session.sid)['t'].user[1] == 1
        return session.sid
    return keep_and_find


def worries(store):
    return [str(finding) for finding in check_server(store)]


def only_persistence(found):
    return len(found) == 1 and 'append-only' in found[0]


# -------------------------------------------------------------------- ways to reach it

def test_by_unix_socket_and_database_number(redis_server, settings_of, use):
    settings = settings_of(redis_server, redis_url='unix://%s?db=5' % redis_server.socket_path)
    use(Store(settings))
    assert redis_server.ask('-n', '5', 'DBSIZE') != '0'
    assert redis_server.ask('-n', '0', 'DBSIZE') == '0'


def test_by_port_with_a_password_of_any_characters_in_the_url_or_beside_it(redis_server_of, settings_of, use):
    server = redis_server_of(tcp=True, settings={'requirepass': '"%s"' % PASSWORD})
    url = 'redis://127.0.0.1:%d/3' % server.port
    use(Store(settings_of(server, redis_url=url, redis_password=PASSWORD)))
    escaped = quote(PASSWORD.encode('utf-8'), safe='')
    store = Store(settings_of(server, redis_url=url.replace('//', '//:%s@' % escaped)))
    use(store)
    assert escaped not in store.url and '***' in store.url


def test_an_acl_user_needs_its_own_keys_and_no_dangerous_commands(redis_server_of, settings_of, use):
    server = redis_server_of(tcp=True, acl=[
        'user default off', 'user node on >secret ~mine:* &mine:* +@all -@dangerous +info'])
    settings = settings_of(server, redis_username='node', redis_password='secret', redis_prefix='mine',
                           redis_url='redis://127.0.0.1:%d/0' % server.port)
    use(Store(settings))
    assert worries(Store(settings)) == []  # what it may not ask is not complained about
    found = worries(Store(settings.replace(redis_prefix='theirs')))
    assert len(found) == 1 and 'ACL user' in found[0]


def test_by_tls_with_the_authority_given(redis_server_of, certificates, settings_of, use):
    server = redis_server_of(certificates=certificates)
    url = server.url.replace('127.0.0.1', 'localhost')  # Python 2.7 checks names, not addresses
    use(Store(settings_of(server, redis_url=url, redis_tls_ca_file=certificates.authority)))
    found = worries(Store(settings_of(server, redis_url=url)))
    assert len(found) == 1 and 'redis_tls_ca_file' in found[0]


def test_two_clusters_share_a_server_by_prefix(redis_server, settings_of, use, sessions_of):
    one, other = (Store(settings_of(redis_server, redis_prefix=prefix)) for prefix in ('a', 'b'))
    session_id = use(one)
    assert sessions_of(store=other).get(session_id).new
    assert sessions_of(store=other).list() == []


def test_through_sentinel_sessions_survive_the_loss_of_the_master(
        sentinel_trio, settings_of, sessions_of, use):
    settings = settings_of(
        sentinel_trio.master, redis_url='redis://not.asked:1/2', redis_sentinel_master='oe',
        redis_sentinels=tuple(('127.0.0.1', one.port) for one in sentinel_trio.sentinels))
    store = Store(settings)
    session_id = use(store)
    store.client().wait(1, 5000)
    assert redis_databases(sentinel_trio.master) == ['db2']
    sentinel_trio.master.kill_all()

    def found_again():
        try:
            return not sessions_of(store=store).get(session_id).new
        except RedisUnavailable:
            return False  # 503: never a silent log-out
    wait_until(found_again, 30, "the new master answers")
    use(store)


def redis_databases(server):
    lines = server.ask('INFO', 'keyspace').splitlines()
    return [line.split(':')[0] for line in lines if line.startswith('db')]


# -------------------------------------------------------------------- ways to fail

@pytest.mark.parametrize('changes, words', [
    ({'redis_password': 'wrong'}, ['redis_username and redis_password']),
    ({}, ['Set redis_password']),
    ({'redis_password': 'right', 'redis_username': 'nobody'}, ['redis_username and redis_password']),
    ({'redis_password': 'right', 'redis_url': '/99'}, ['database number', 'databases']),
], ids=['wrong password', 'no password', 'unknown user', 'no such database'])
def test_a_wrong_login_or_database_is_fatal_and_the_remedy_names_the_setting(
        redis_server_of, settings_of, changes, words):
    server = redis_server_of(tcp=True, password='right')
    path = changes.pop('redis_url', '/0')
    store = Store(settings_of(server, redis_url='redis://127.0.0.1:%d%s' % (server.port, path), **changes))
    findings = check_server(store)
    assert [finding.fatal for finding in findings] == [True]
    for word in words:
        assert word in str(findings[0])
    with pytest.raises(RedisUnavailable):
        apply_findings(findings, refuse=False)


def test_a_password_where_none_is_wanted_is_named(redis_server, settings_of):
    found = worries(Store(settings_of(redis_server, redis_password='needless')))
    assert len(found) == 1 and 'remove redis_password' in found[0]


def test_a_server_that_is_not_there_is_named_with_its_url_without_the_password(settings_of, redis_server):
    store = Store(settings_of(redis_server, redis_url='redis://:sesame@127.0.0.1:1/0'))
    with pytest.raises(RedisUnavailable) as caught:
        store.client().ping()
    assert '127.0.0.1:1' in str(caught.value) and 'sesame' not in str(caught.value)
    assert 'Check that the server runs' in str(caught.value)


def test_a_replica_is_no_place_for_sessions(redis_server_of, settings_of):
    master = redis_server_of(tcp=True)
    replica = redis_server_of(tcp=True, settings={'replicaof': '127.0.0.1 %d' % master.port})
    wait_until(lambda: 'link_status:up' in replica.ask('INFO', 'replication'), 20, "it is in step")
    findings = check_server(Store(settings_of(replica)))
    assert findings[0].fatal and 'redis_sentinels' in str(findings[0])


@pytest.mark.parametrize('policy', ['allkeys-lru', 'volatile-lru', 'volatile-ttl', 'allkeys-random'])
def test_a_policy_that_deletes_sessions_is_a_warning_or_a_refusal(
        redis_server_of, settings_of, policy, caplog):
    server = redis_server_of(persistent=True, settings={'maxmemory-policy': policy})
    findings = check_server(Store(settings_of(server)))
    assert len(findings) == 1 and not findings[0].fatal
    assert policy in str(findings[0]) and 'noeviction' in str(findings[0])
    apply_findings(findings, refuse=False)
    assert 'noeviction' in caplog.text
    with pytest.raises(RedisUnavailable):
        apply_findings(findings, refuse=True)


@pytest.mark.parametrize('properties, fit', [
    ({'persistent': True}, True), ({'settings': {'save': '60 1'}}, True), ({}, False)])
def test_a_server_without_persistence_is_reported(redis_server_of, settings_of, properties, fit):
    found = worries(Store(settings_of(redis_server_of(**properties))))
    assert found == [] if fit else only_persistence(found)


def test_full_memory_keeps_nobody_from_his_session_and_loses_nothing_silently(
        redis_server_of, settings_of, sessions_of, use):
    server = redis_server_of(settings={'maxmemory-policy': 'noeviction'})
    store = Store(settings_of(server))
    session_id = use(store)
    store.client().set('filler', b'x' * 3000000)
    server.ask('CONFIG', 'SET', 'maxmemory', '2mb')
    with pytest.raises(RedisUnavailable) as caught:
        use(store)
    assert 'maxmemory' in str(caught.value)
    store.client().expire(store.keys.session(session_id), 1000)  # a renewal is due
    assert sessions_of(store=store).get(session_id)['t'].user[1] == 1


# -------------------------------------------------------------------- time

def test_a_paused_server_costs_one_time_out_and_is_back_at_once(redis_server, settings_of, sessions_of, use):
    store = Store(settings_of(redis_server, redis_timeout=0.3))
    session_id = use(store)
    redis_server.pause()
    try:
        began = time.time()
        with pytest.raises(RedisUnavailable) as caught:
            sessions_of(store=store).get(session_id)
        assert time.time() - began < 1.0
        assert 'redis_timeout' in str(caught.value)
    finally:
        redis_server.resume()
    assert sessions_of(store=store).get(session_id)['t'].user[1] == 1


def test_a_slow_server_never_answers_the_wrong_question(redis_server, settings_of, sessions_of, use):
    store = Store(settings_of(redis_server, redis_timeout=0.2))
    one, two = use(store), use(store)
    redis_server.ask('CLIENT', 'PAUSE', '1000', 'ALL')
    with pytest.raises(RedisUnavailable):
        sessions_of(store=store).get(one)
    time.sleep(1.0)  # the late answer arrives, if anybody still listens
    assert sessions_of(store=store).get(two).opened_id == two


def test_an_argument_overrides_the_time_out(redis_server, settings_of):
    store = Store(settings_of(redis_server, redis_timeout=20), timeout_seconds=0.1)
    store.client().ping()
    redis_server.pause()
    try:
        began = time.time()
        with pytest.raises(RedisUnavailable):
            store.client().ping()
        assert time.time() - began < 1.0
    finally:
        redis_server.resume()


# -------------------------------------------------------------------- processes and restarts

def test_a_forked_child_has_a_connection_of_its_own(redis_server, settings_of):
    store = Store(settings_of(redis_server))
    mine, number = store.client(), store.client().client_id()
    pid = os.fork()
    if not pid:
        try:
            os._exit(0 if store.client() is not mine and store.client().client_id() != number else 1)
        finally:
            os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0
    assert store.client() is mine and mine.client_id() == number


def test_scripts_are_sent_again_to_a_server_that_forgot_them(redis_server_of, settings_of, use):
    server = redis_server_of(persistent=True)
    store = Store(settings_of(server))
    use(store)
    server.ask('SCRIPT', 'FLUSH')
    session_id = use(store)
    server.restart()
    assert store.run('session_open', [store.keys.session(session_id)],
                     [session_id, store.keys.session_index_start, 1000, 1000, -1])


def test_closing_gives_the_connections_back(redis_server, settings_of):
    store = Store(settings_of(redis_server))
    store.client().ping()
    store.close()
    wait_until(lambda: redis_server.ask('INFO', 'clients').split('connected_clients:')[1][0] == '1', 5,
               "only redis-cli is connected")
    assert store.client().ping()


def test_signals_do_not_break_a_call(redis_server, settings_of):
    store = Store(settings_of(redis_server))
    before = signal.signal(signal.SIGALRM, lambda *arguments: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for _ in range(200):
            assert store.client().ping()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
