# -*- coding: utf-8 -*-
"""`oe-cluster-launch sessions` and `key`, as an operator types them."""
import json
import os
import stat

import pytest
from tabs import tab

from oe_cluster_launch import cli
from oe_cluster_launch.errors import (
    EXIT_CONFIGURATION,
    EXIT_FAILURE,
    EXIT_NO_PERMISSION,
    EXIT_OK,
    EXIT_UNAVAILABLE,
    EXIT_USAGE,
)
from oe_cluster_launch.sealing import Sealing, key_file


@pytest.fixture
def key_path(tmpdir):
    path = str(tmpdir.join('secret.key'))
    key_file.create(path)
    return path


@pytest.fixture
def sealing(key_path):
    return Sealing(key_path)


@pytest.fixture
def command(monkeypatch, capsys, shared_redis, store, key_path):
    """A function: run a command, return (exit code, stdout, stderr)."""
    monkeypatch.setenv('OE_CLUSTER_REDIS_URL', shared_redis.url)
    monkeypatch.setenv('OE_CLUSTER_REDIS_PREFIX', store.keys.prefix)
    monkeypatch.setenv('OE_CLUSTER_SECRET_KEY_FILE', key_path)
    monkeypatch.delenv('OPENERP_SERVER', raising=False)

    def run(*arguments):
        code = cli.main(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err
    return run


@pytest.fixture
def sign_in(sessions):
    def make(uid=1, database='db'):
        session = sessions.new()
        tab(session, 't').sign_in(uid, database)
        sessions.save(session)
        return session
    return make


def test_list_shows_who_is_signed_in_and_no_session_id(command, sign_in):
    session = sign_in(1)
    sign_in(2, u'd\xe9p\xf4t')
    code, out, _ = command('sessions', 'list')
    assert code == EXIT_OK
    lines = out.splitlines()
    assert lines[0].split()[:4] == ['session', 'database', 'uid', 'login']
    assert len(lines) == 3 and 'login1' in out and 'login2' in out
    assert session.sid not in out


def test_list_as_json_can_be_narrowed_to_a_database_and_a_login(command, sign_in):
    sign_in(1)
    sign_in(2)
    sign_in(1, 'other')
    code, out, _ = command('sessions', 'list', '-f', 'json', '--db', 'db', '--login', 'login1')
    rows = json.loads(out)
    assert [(row['database'], row['uid'], row['login']) for row in rows] == [('db', 1, 'login1')]
    assert 604000 < rows[0]['ends_in_seconds'] <= 604800 and rows[0]['idle_seconds'] < 60
    assert rows[0]['created'].endswith('Z')


def test_show_names_values_and_keeps_their_contents_to_itself(command, sign_in, sessions):
    session = sessions.get(sign_in(1).sid)
    session['saved_actions'] = 'the contents'
    sessions.save(session)
    handle = json.loads(command('sessions', 'list', '-f', 'json')[1])[0]['session']
    code, out, _ = command('sessions', 'show', handle)
    assert code == EXIT_OK and 'saved_actions' in out
    assert 'the contents' not in out and 'secret' not in out
    told = json.loads(command('sessions', 'show', session.sid, '-f', 'json')[1])
    assert told['values'] == ['saved_actions', 't']
    assert told['users'] == [{'database': 'db', 'uid': 1, 'login': 'login1'}]


def test_revoke_one_by_the_handle_that_list_shows(command, sign_in, sessions):
    session, other = sign_in(1), sign_in(1)
    handle = json.loads(command('sessions', 'show', session.sid, '-f', 'json')[1])['session']
    code, out, _ = command('sessions', 'revoke', handle)
    assert (code, out) == (EXIT_OK, '1 session revoked\n')
    assert sessions.get(session.sid).new and not sessions.get(other.sid).new


def test_revoke_all_of_a_login_or_all(command, sign_in, sessions):
    sign_in(1)
    sign_in(1, 'other')
    sign_in(2)
    assert command('sessions', 'revoke', '--login', 'login1', '--db', 'other')[1] == '1 session revoked\n'
    assert json.loads(command('sessions', 'revoke', '--login', 'login1', '-f', 'json')[1]) == {'revoked': 1}
    assert command('sessions', 'revoke', '--login', 'nobody')[:2] == (EXIT_OK, '0 sessions revoked\n')
    assert command('sessions', 'revoke', '--all')[1] == '1 session revoked\n'
    assert sessions.list() == []


@pytest.mark.parametrize('arguments', [
    ('revoke',), ('revoke', 'abc', '--all'), ('revoke', 'abc', '--login', 'x'), ('list', '-f', 'xml'), (),
    ('import', '/no/such/folder')])
def test_a_wrong_command_line_is_refused_before_anything_happens(command, sign_in, sessions, arguments):
    sign_in(1)
    assert command('sessions', *arguments)[0] == EXIT_USAGE
    assert len(sessions.list()) == 1


@pytest.mark.parametrize('action', ['show', 'revoke'])
def test_an_unknown_session_is_a_failure(command, action):
    code, _, err = command('sessions', action, 'abcdef')
    assert code == EXIT_FAILURE and 'no session abcdef' in err


def test_without_redis_the_exit_code_says_unavailable(command, monkeypatch):
    monkeypatch.setenv('OE_CLUSTER_REDIS_URL', 'redis://127.0.0.1:1/0')
    code, _, err = command('sessions', 'list')
    assert code == EXIT_UNAVAILABLE and '127.0.0.1:1' in err


def test_key_new_makes_a_file_once(command, key_path, monkeypatch, tmpdir):
    other = str(tmpdir.join('other.key'))
    monkeypatch.setenv('OE_CLUSTER_SECRET_KEY_FILE', other)
    code, out, _ = command('key', 'new')
    assert code == EXIT_OK and key_file.fingerprint(key_file.read_keys(other)[0]) in out
    assert stat.S_IMODE(os.stat(other).st_mode) == 0o600
    before = key_file.read_keys(other)
    code, _, err = command('key', 'new')
    assert code == EXIT_USAGE and 'key rotate' in err
    assert key_file.read_keys(other) == before


def test_key_rotate_keeps_everybody_signed_in(command, sign_in, key_path, store, sessions_of):
    session = sign_in(1)
    before = json.loads(command('key', 'fingerprint', '-f', 'json')[1])['fingerprints']
    code, out, _ = command('key', 'rotate')
    assert code == EXIT_OK and 'every other node' in out
    after = json.loads(command('key', 'fingerprint', '-f', 'json')[1])['fingerprints']
    assert len(after) == 2 and after[1:] == before
    assert sessions_of(sealing=Sealing(key_path)).get(session.sid)['t'].user[1] == 1
    assert 'login1' in command('sessions', 'list')[1]


def test_no_command_shows_a_key(command, key_path):
    secret = key_file.read_keys(key_path)[0].decode('ascii')
    told = ''.join(''.join(command('key', action)[1:]) for action in ('fingerprint', 'rotate', 'new'))
    assert secret not in told


def test_a_key_file_that_others_can_read_stops_every_command(command, key_path):
    os.chmod(key_path, 0o644)
    for arguments in [('key', 'fingerprint'), ('key', 'rotate'), ('sessions', 'list')]:
        code, _, err = command(*arguments)
        assert code == EXIT_NO_PERMISSION and 'chmod 600' in err


def test_a_missing_key_file_is_a_configuration_fault(command, monkeypatch):
    monkeypatch.setenv('OE_CLUSTER_SECRET_KEY_FILE', '/no/such/key')
    assert command('sessions', 'list')[0] == EXIT_CONFIGURATION
    assert command('key', 'fingerprint')[0] == EXIT_CONFIGURATION


def test_the_store_of_a_command_leaves_lives_alone(command, sign_in, store):
    session = sign_in(1)
    store.client().expire(store.keys.session(session.sid), 1000)
    command('sessions', 'list')
    assert store.client().ttl(store.keys.session(session.sid)) <= 1000
