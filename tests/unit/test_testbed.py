# -*- coding: utf-8 -*-
"""The testbed itself, as far as it needs no OpenERP."""
import os
import signal

import pytest
from testbed import account, ports, process_table
from testbed.problem import Problem
from testbed.redis_server import RedisServer
from testbed.waiting import wait_until


def test_services_run_as_the_unprivileged_account(redis_server):
    owner = os.stat('/proc/%d' % redis_server.pid).st_uid
    assert owner == account.current().pw_uid
    assert owner != 0


def test_redis_answers_on_its_socket_only(redis_server):
    assert redis_server.url.startswith('unix://')
    assert redis_server.ask('SET', 'a', '1') == 'OK'
    assert redis_server.ask('CONFIG', 'GET', 'port').split() == ['port', '0']


def test_redis_with_a_password_refuses_strangers(redis_server_of):
    server = redis_server_of(password='secret', tcp=True)
    assert server.ask('PING') == 'PONG'
    assert server.ask('PING', password=None).startswith('NOAUTH')
    assert server.url == 'redis://:secret@127.0.0.1:%d/0' % server.port


def test_redis_with_an_acl_lets_a_user_do_only_what_he_may(redis_server_of):
    server = redis_server_of(acl=['user default on nopass ~* +@all',
                                  'user node on >secret ~oe:* +@all'])
    assert server.ask('SET', 'oe:a', '1', user='node', password='secret') == 'OK'
    assert server.ask('SET', 'b', '1', user='node', password='secret').startswith('NOPERM')


def test_redis_keeps_data_over_a_restart_when_persistent(redis_server_of):
    server = redis_server_of(persistent=True)
    server.ask('SET', 'a', '1')
    server.restart()
    assert server.ask('GET', 'a') == '1'
    server.lose_data()
    server.start()
    assert server.ask('GET', 'a') == ''


def test_redis_over_tls_shows_our_certificate(redis_server_of, certificates):
    import redis
    server = redis_server_of(certificates=certificates)
    client = redis.Redis.from_url(server.url, ssl_ca_certs=certificates.authority)
    assert client.ping()


def test_a_paused_service_does_not_answer_until_it_is_resumed(redis_server):
    import redis
    client = redis.Redis.from_url(redis_server.url, socket_timeout=0.2)
    assert client.ping()
    redis_server.pause()
    with pytest.raises(redis.exceptions.TimeoutError):
        client.ping()
    redis_server.resume()
    assert redis_server.is_ready()


def test_killing_a_service_leaves_no_process_of_its_family(redis_server):
    redis_server.ask('BGSAVE')
    redis_server.kill_all()
    assert process_table.family(redis_server.pid) == []
    assert redis_server.exit_code() == -signal.SIGKILL


def test_sentinels_promote_the_replica_when_the_master_dies(sentinel_trio):
    assert sentinel_trio.master_port() == sentinel_trio.master.port
    sentinel_trio.master.kill_all()
    wait_until(lambda: sentinel_trio.master_port() == sentinel_trio.replica.port, 20,
               "the Sentinels name the replica")


def test_a_service_that_cannot_start_says_why(session_folder):
    server = RedisServer(os.path.join(session_folder, 'broken'), settings={'nonsense': '1'})
    with pytest.raises(Problem) as caught:
        server.start()
    assert 'exit code 1' in str(caught.value)
    assert 'nonsense' in str(caught.value)


def test_postgres_has_the_role_that_openerp_wants(empty_postgres):
    rows = empty_postgres.query(
        "SELECT rolcreatedb, rolsuper FROM pg_roles WHERE rolname = 'openerp'")
    assert rows == [['t', 'f']]
    empty_postgres.create_database('some')
    assert empty_postgres.has_database('some')
    empty_postgres.drop_database('some')
    assert not empty_postgres.has_database('some')


def test_the_holder_of_a_port_is_named(redis_server_of):
    server = redis_server_of(tcp=True)
    assert not ports.is_free(server.port)
    assert ports.holder(server.port) == 'redis-server (process %d)' % server.pid
    assert ports.is_free(ports.free_port())


def test_no_port_is_handed_out_twice(monkeypatch):
    taken = ports.free_port()
    monkeypatch.setattr(ports, 'LOWEST', taken)
    monkeypatch.setattr(ports, 'HIGHEST', taken + 2)
    assert ports.free_port() == taken + 1


def test_waiting_in_vain_says_for_what():
    with pytest.raises(Problem) as caught:
        wait_until(lambda: False, 0.05, "pigs fly")
    assert str(caught.value) == "waited 0.05 s in vain until pigs fly"
