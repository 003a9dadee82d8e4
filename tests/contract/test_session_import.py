# -*- coding: utf-8 -*-
"""Session files of the host become sessions in Redis, under their own ids."""
import os
import time

import pytest
from tabs import Tab, tab

from oe_cluster_launch.compat import pickle
from oe_cluster_launch.sessions.import_files import FileImport

WEEK = 7 * 86400
IDS = ['%040x' % number for number in range(1, 10)]


@pytest.fixture
def folder(tmpdir):
    return str(tmpdir.mkdir('oe-sessions'))


@pytest.fixture
def write(folder):
    """A function: a session file as the host writes it."""
    def make(session_id, values, age_seconds=0, raw=None):
        path = os.path.join(folder, 'werkzeug_%s.sess' % session_id)
        with open(path, 'wb') as target:
            target.write(raw if raw is not None else pickle.dumps(values, 2))
        os.utime(path, (time.time() - age_seconds,) * 2)
        return path
    return make


@pytest.fixture
def run(store, sessions, folder):
    return lambda: dict((name[9:49], outcome) for name, outcome in
                        FileImport(store, sessions, WEEK).run(folder, time.time()))


def test_a_signed_in_session_goes_on_under_its_id(write, run, sessions):
    write(IDS[0], {'t': Tab().sign_in(1), 'saved_actions': {'next': 1}})
    assert run() == {IDS[0]: 'imported'}
    session = sessions.get(IDS[0])
    assert session.sid == IDS[0] and session['t'].user[1] == 1
    assert session['saved_actions'] == {'next': 1}


def test_a_session_lives_no_longer_than_it_would_have(write, run, store):
    write(IDS[0], {'t': Tab().sign_in(1)}, age_seconds=5 * 86400)
    run()
    assert abs(store.client().ttl(store.keys.session(IDS[0])) - 2 * 86400) < 60


def test_nothing_else_is_taken(write, run, sessions, folder):
    write(IDS[0], {'t': Tab()})
    write(IDS[1], {'t': Tab().sign_in(1)}, age_seconds=WEEK + 1)
    write(IDS[2], {}, raw=b'no pickle')
    write(IDS[3], {}, raw=b"cos\nsystem\n(S'true'\ntR.")
    write(IDS[4], {}, raw=pickle.dumps(['a list'], 2))
    with open(os.path.join(folder, 'werkzeug_half.sess.__wz_sess'), 'wb'):
        pass
    assert run() == {IDS[0]: 'nobody signed in', IDS[1]: 'too old', IDS[2]: 'unreadable',
                     IDS[3]: 'unreadable', IDS[4]: 'unreadable'}
    assert sessions.list() == []


def test_files_are_not_touched(write, run):
    path = write(IDS[0], {'t': Tab().sign_in(1)})
    before = os.stat(path)
    run()
    assert os.stat(path)[:9] == before[:9]


def test_a_second_import_neither_overwrites_nor_undoes_a_log_out(write, run, sessions):
    write(IDS[0], {'t': Tab().sign_in(1)})
    write(IDS[1], {'t': Tab().sign_in(2)})
    run()
    used = sessions.get(IDS[0])
    used['t'].context['lang'] = 'de_DE'
    sessions.save(used)
    leaving = sessions.get(IDS[1])
    leaving['t'].ended = True
    sessions.save(leaving)
    assert run() == {IDS[0]: 'imported before', IDS[1]: 'imported before'}
    assert sessions.get(IDS[0])['t'].context == {'lang': 'de_DE'}
    assert sessions.get(IDS[1]).new


def test_imported_sessions_are_in_the_index(write, run, store, sessions):
    from oe_cluster_launch.sessions.index import SessionIndex
    write(IDS[0], {'t': Tab().sign_in(1), 'u': tab({}, 'u').sign_in(2)})
    run()
    assert [listed.session_id for listed in SessionIndex(store, sessions).of_user('db', 2)] == [IDS[0]]
