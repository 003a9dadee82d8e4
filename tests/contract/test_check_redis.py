# -*- coding: utf-8 -*-
"""The doctor's eye on Redis, clocks, key and shared folders, each fault provoked on a real server."""
import json
import os
import re
import socket
import threading
import time

import pytest
from testbed import session
from testbed.ports import free_port
from testbed.waiting import wait_until

import oe_cluster_launch
from oe_cluster_launch import cli, shared_paths
from oe_cluster_launch.check import clocks
from oe_cluster_launch.check.context import Context
from oe_cluster_launch.check.result import FAIL, OK, SKIP, WARN
from oe_cluster_launch.check.runner import attempt
from oe_cluster_launch.check.table import CHECKS
from oe_cluster_launch.cluster.membership import Membership
from oe_cluster_launch.sealing import key_file
from oe_cluster_launch.store import Store

PLAIN_ACL = 'user node on >secret ~oe:* &oe:* +@all -@dangerous +info'


class Doctor(object):
    """Runs checks against one server."""

    def __init__(self, settings, **more):
        self.context = Context(None, [], **more)
        self.context.settings = settings

    def __call__(self, title):
        check = [check for check in CHECKS if check.title == title][0]
        self.context._members = None  # each check in its own process knows what it has asked itself
        return attempt(check, self.context)[0]


@pytest.fixture
def doctor_of(settings_of):
    def make(server, now=time.time, **changes):
        changes.setdefault('node_name', 'me')
        return Doctor(settings_of(server, **changes), now=now)
    return make


def test_a_fit_server_passes_everything_and_nothing_is_left_in_it(redis_server_of, doctor_of):
    server = redis_server_of(persistent=True)
    doctor = doctor_of(server)
    for check in CHECKS:
        if check.area == 'redis':
            result = doctor(check.title)
            assert result.status == OK, result
    assert server.ask('DBSIZE') == '0'


def test_the_user_of_conf_redis_conf_may_do_all_that_is_tried(redis_server_of, doctor_of):
    server = redis_server_of(tcp=True, persistent=True, acl=['user default off', PLAIN_ACL])
    doctor = doctor_of(server, redis_username='node', redis_password='secret')
    for name in ('server', 'version', 'policy', 'memory', 'persistence', 'rights', 'latency'):
        result = doctor('redis ' + name)
        assert result.status == OK, result


@pytest.mark.parametrize('less, words', [
    ('-hset', 'HSET'), ('-time', 'TIME'), ('-rename', 'RENAME'), ('-publish', 'PUBLISH'), ('-scan', 'SCAN'),
    ('-subscribe', 'LISTEN TO EVENTS'), ('-multi', 'TRANSACTION'), ('resetchannels', 'LISTEN TO EVENTS'),
    ('resetchannels &oe:events', 'LISTEN TO THE BELL'), ('-zremrangebyscore -ltrim', 'and 1 more'),
    ('resetkeys ~other:*', 'ACL user'), ('-evalsha -eval', 'ACL user')])
def test_a_right_that_is_missing_is_named(redis_server_of, doctor_of, less, words):
    server = redis_server_of(tcp=True, persistent=True, acl=['user default off', PLAIN_ACL + ' ' + less])
    result = doctor_of(server, redis_username='node', redis_password='secret')('redis rights')
    assert result.status == FAIL
    assert words in result.found + result.remedy, result


def test_every_command_of_a_script_is_among_those_that_are_tried():
    folder = os.path.join(os.path.dirname(oe_cluster_launch.__file__), 'store', 'lua')
    used, tried = set(), set()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name)) as source:
            text = source.read()
        used.update(re.findall(r"redis\.p?call\('([A-Z]+)'", text))
        if name == 'rights_probe.lua':
            tried.update(re.findall(r"try\('([A-Z]+)'", text))
    assert used - tried - {'PUBLISH'} == set()  # a channel is tried by itself


@pytest.mark.parametrize('policy', ['allkeys-lru', 'volatile-ttl'])
def test_an_evicting_server(redis_server_of, doctor_of, policy):
    server = redis_server_of(persistent=True, settings={'maxmemory-policy': policy})
    assert doctor_of(server)('redis policy').status == WARN
    assert doctor_of(server, redis_faults='refuse')('redis policy').status == FAIL
    assert 'noeviction' in doctor_of(server)('redis policy').remedy


def test_a_server_that_forgets(redis_server_of, doctor_of):
    server = redis_server_of()
    assert doctor_of(server)('redis persistence').status == WARN
    assert doctor_of(server, redis_faults='refuse')('redis persistence').status == FAIL
    assert doctor_of(redis_server_of(settings={'save': '60 1'}))('redis persistence').status == OK


def test_a_server_that_may_not_be_asked_whether_it_takes_snapshots(redis_server_of, doctor_of):
    server = redis_server_of(tcp=True, acl=['user default off', PLAIN_ACL])
    result = doctor_of(server, redis_username='node', redis_password='secret')('redis persistence')
    assert result.status == WARN and 'may not ask' in result.found


def test_a_server_that_cannot_write_to_its_disk(redis_server_of, doctor_of):
    server = redis_server_of(settings={'save': '60 1', 'dbfilename': 'dump.rdb'})
    os.mkdir(os.path.join(server.folder, 'dump.rdb'))  # not to be replaced by a file, not even by root
    server.ask('BGSAVE')
    wait_until(lambda: 'rdb_last_bgsave_status:err' in server.ask('INFO', 'persistence'), 20, "it failed")
    result = doctor_of(server)('redis persistence')
    assert result.status == FAIL and 'rdb_last_bgsave_status' in result.found


def test_memory_that_is_nearly_and_quite_full(redis_server_of, doctor_of):
    server = redis_server_of(persistent=True, settings={'maxmemory-policy': 'noeviction'})
    store = Store(doctor_of(server).context.settings)
    store.client().set('filler', b'x' * 8000000)
    used = int(store.client().info()['used_memory'])
    server.ask('CONFIG', 'SET', 'maxmemory', int(used * 1.1))
    assert doctor_of(server)('redis memory').status == WARN
    server.ask('CONFIG', 'SET', 'maxmemory', used // 2)
    assert doctor_of(server)('redis memory').status == FAIL
    assert doctor_of(server)('redis rights').status == FAIL  # it refuses to write


def test_a_replica(redis_server_of, doctor_of):
    master = redis_server_of(tcp=True)
    replica = redis_server_of(tcp=True, settings={'replicaof': '127.0.0.1 %d' % master.port})
    wait_until(lambda: 'link_status:up' in replica.ask('INFO', 'replication'), 20, "it is in step")
    result = doctor_of(replica)('redis rights')
    assert result.status == FAIL and 'replica' in result.found


def test_a_server_that_is_not_there_or_wants_another_password(redis_server_of, doctor_of):
    server = redis_server_of(tcp=True, password='right')
    result = doctor_of(server, redis_url='redis://127.0.0.1:%d/0' % server.port)('redis server')
    assert result.status == FAIL and 'redis_password' in result.found
    server.kill_all()
    assert doctor_of(server)('redis server').status == FAIL


class SlowRoad(threading.Thread):
    """A port that leads to a server, each answer delayed."""

    def __init__(self, target, seconds):
        super(SlowRoad, self).__init__()
        self.daemon = True
        self.target, self.seconds, self.port = target, seconds, free_port()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(('127.0.0.1', self.port))
        self.listener.listen(10)
        self.start()

    def run(self):
        while True:
            client = self.listener.accept()[0]
            server = socket.create_connection(('127.0.0.1', self.target))
            for source, sink, pause in ((client, server, 0), (server, client, self.seconds)):
                thread = threading.Thread(target=self.carry, args=(source, sink, pause))
                thread.daemon = True
                thread.start()

    @staticmethod
    def carry(source, sink, pause):
        while True:
            data = source.recv(65536)
            if not data:
                return
            time.sleep(pause)
            sink.sendall(data)


@pytest.mark.parametrize('seconds, status', [(0, OK), (0.02, WARN), (0.12, FAIL)])
def test_a_slow_server(redis_server_of, doctor_of, seconds, status):
    server = redis_server_of(tcp=True, persistent=True)
    road = SlowRoad(server.port, seconds)
    result = doctor_of(server, redis_url='redis://127.0.0.1:%d/0' % road.port)('redis latency')
    assert result.status == status or (status == OK and result.status == WARN), result  # a busy machine


def test_sentinels_that_do_not_answer(sentinel_trio, doctor_of):
    doctor = doctor_of(sentinel_trio.master, redis_sentinel_master='oe', redis_sentinels=tuple(
        ('127.0.0.1', one.port) for one in sentinel_trio.sentinels))
    assert doctor('redis sentinels').status == OK
    sentinel_trio.sentinels[0].kill_all()
    assert doctor('redis sentinels').status == WARN
    sentinel_trio.sentinels[1].kill_all()
    assert doctor('redis sentinels').status == FAIL


# -------------------------------------------------------------------- clocks

@pytest.mark.parametrize('ahead, status', [
    (0, OK), (-0.4, OK), (3, WARN), (-3, WARN), (90, FAIL), (-90, FAIL)])
def test_our_clock_against_that_of_redis(redis_server, doctor_of, ahead, status):
    result = doctor_of(redis_server, now=lambda: time.time() + ahead)('clock redis')
    assert result.status == status, result


def test_a_slow_answer_is_no_wrong_clock():
    answers = iter([100.0, 110.0, 110.0, 110.2])
    ahead, uncertainty = clocks.measure(lambda: 102.0, lambda: next(answers), attempts=1)
    assert (ahead, uncertainty) == (3.0, 5.0)
    assert clocks._judge('it', ahead, uncertainty).status == OK


def member(doctor, name, wall_clock=time.time, **profile):
    found = Membership(doctor.context.store(), doctor.context.settings, name, 'token', profile,
                       wall_clock=wall_clock)
    found.report(role='candidate', state='running', reason='')


def test_the_clock_of_another_node(redis_server, doctor_of):
    doctor = doctor_of(redis_server)
    assert doctor('clock other nodes').status == OK
    member(doctor, 'b')
    assert doctor('clock other nodes').found == 'right on b'
    member(doctor, 'c', wall_clock=lambda: time.time() - 5)
    result = doctor('clock other nodes')
    assert result.status == WARN and 'node c' in result.found and 'behind' in result.found


def test_one_report_that_was_under_way_for_long_is_no_wrong_clock(redis_server, doctor_of, monkeypatch):
    doctor = doctor_of(redis_server)
    member(doctor, 'b', wall_clock=lambda: time.time() - 5)
    monkeypatch.setattr(clocks.time, 'sleep', lambda seconds: member(doctor, 'b'))  # the next report
    assert doctor('clock other nodes').found == 'right on b'


# -------------------------------------------------------------------- key

@pytest.fixture
def key_path(session_folder):
    return os.path.join(session.fresh_folder('check-key'), 'secret.key')


def test_a_key_file_that_is_missing_is_made_by_the_first_node_only(redis_server, doctor_of, key_path):
    doctor = doctor_of(redis_server, secret_key_file=key_path)
    assert doctor('key file').status == OK
    member(doctor, 'b')
    assert doctor('key file').status == FAIL
    assert not os.path.exists(key_path)


@pytest.mark.parametrize('content, mode', [(None, 0o644), (b'', 0o600), (b'no key\n', 0o600)])
def test_a_key_file_that_cannot_be_used(redis_server, doctor_of, key_path, content, mode):
    with open(key_path, 'wb') as target:
        target.write(key_file.new_key() if content is None else content)
    os.chmod(key_path, mode)
    result = doctor_of(redis_server, secret_key_file=key_path)('key file')
    assert result.status == FAIL and result.remedy


def test_the_key_of_another_node(redis_server, doctor_of, key_path):
    key_file.create(key_path)
    doctor = doctor_of(redis_server, secret_key_file=key_path)
    mine = key_file.fingerprint(key_file.read_keys(key_path)[0])
    for keys, status in (([mine], OK), (['new', mine], WARN), (['foreign'], FAIL)):
        member(doctor, 'b', keys=keys)
        assert doctor('key other nodes').status == status


# -------------------------------------------------------------------- shared folders

def test_looking_at_a_shared_folder_finds_strangers_and_leaves_nothing(redis_server, doctor_of, tmp_path):
    doctor = doctor_of(redis_server)
    store, path = doctor.context.store(), str(tmp_path)
    assert shared_paths.look(store, path, 'me') == (None, [])
    shared_paths.verify(store, [path], 'b')
    before = redis_server.ask('HGETALL', store.keys.shared_path(path)), files_below(path)
    assert shared_paths.look(store, path, 'me') == (None, ['b'])
    assert (redis_server.ask('HGETALL', store.keys.shared_path(path)), files_below(path)) == before
    os.unlink(os.path.join(path, shared_paths.PROBES, 'b'))
    assert 'node b' in str(shared_paths.look(store, path, 'me')[0])
    assert 'cannot be written' in str(shared_paths.look(store, str(tmp_path / 'none'), 'me')[0])


def files_below(path):
    return sorted(os.path.join(parent, name) for parent, _, names in os.walk(path) for name in names)


# -------------------------------------------------------------------- the command

def test_where_openerp_is_missing_the_rest_is_examined(redis_server, monkeypatch, capsys):
    monkeypatch.setenv('OE_CLUSTER_REDIS_URL', redis_server.url)
    monkeypatch.setenv('OE_CLUSTER_NODE_NAME', 'me')
    monkeypatch.setattr(Context, 'import_host', without_host)
    assert cli.main(['check', '-f', 'json']) == 1
    answer = json.loads(capsys.readouterr()[0])
    found = dict((row['area'] + ' ' + row['check'], row['status']) for row in answer['checks'])
    assert answer['exit_code'] == 1
    assert found['configuration openerp'] == FAIL
    assert found['redis server'] == OK and found['clock redis'] == OK
    assert found['postgresql server'] == SKIP


def without_host(context):
    from oe_cluster_launch.errors import HostMismatch
    raise HostMismatch("OpenERP cannot be imported.")


@pytest.mark.parametrize('words', [['--nginx', 'erp.example.com'], ['--nodes', '0'], ['--nodes', 'many'],
                                   ['-f', 'xml']])
def test_a_wrong_command_line_is_a_usage_error(words):
    assert cli.main(['check'] + words) == 64
