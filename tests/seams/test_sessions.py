# -*- coding: utf-8 -*-
"""OpenERP's own web client on our sessions: cookie, log-in, log-out, jsonp, Redis away. No database."""
import json
import re

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import BaseResponse

from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.seams.openerp7 import sessions as seam_file
from oe_cluster_launch.seams.seam import AFTER_ADDONS, SeamTable
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store

INFO = '/web/session/get_session_info'
SIGN_IN = '/web/session/authenticate'
SIGN_OUT = '/web/session/destroy'
SAVE_ACTION = '/web/session/save_session_action'


class Context(object):
    """What boot.Node hands to the seams."""

    def __init__(self, settings):
        self.settings = settings
        self.store = Store(settings)
        self.sealing = Sealing(None, [key_file.new_key()])


@pytest.fixture
def context(redis_server):
    return Context(load_settings().replace(redis_url=redis_server.url, redis_timeout=0.3,
                                           session_untouched_paths=('/web/webclient',)))


@pytest.fixture
def root(host, context, monkeypatch):
    """OpenERP's web client with our seams, and a password check that needs no database."""
    from openerp.addons.web.session import OpenERPSession

    def authenticate(self, db, login, password, env=None):
        uid = {'secret': 7}.get(password, False)
        self.bind(db, uid, login, password)
        return uid

    monkeypatch.setattr(OpenERPSession, 'authenticate', authenticate)
    monkeypatch.setattr(OpenERPSession, 'ensure_valid', lambda self: None)
    monkeypatch.setattr(OpenERPSession, 'get_context', lambda self: self.context)
    table = SeamTable(seam_file.SEAMS)
    table.install(AFTER_ADDONS, context)
    yield host.root()
    table.remove()


def client_of(root):
    """A client without a network; OpenERP wants to know where a request comes from."""
    def application(environ, start_response):
        return root(dict(environ, REMOTE_ADDR='127.0.0.1'), start_response)
    return Client(application, BaseResponse)


class Browser(object):
    """A browser as far as cookies go; `sid` is its session cookie."""

    def __init__(self, root):
        self.client = client_of(root)
        self.answer = None

    @property
    def sid(self):
        return dict((cookie.name, cookie.value) for cookie in self.client.cookie_jar).get('sid')

    @sid.setter
    def sid(self, value):
        self.client.set_cookie('localhost', 'sid', value)

    @property
    def set_cookie(self):
        """The Set-Cookie header of the last answer that is about the session, or None."""
        found = [value for value in self.answer.headers.getlist('Set-Cookie') if value.startswith('sid=')]
        assert len(found) < 2
        return found[0] if found else None

    def get(self, path, **options):
        self.answer = self.client.get(path, **options)
        return self.answer

    def call(self, path, **params):
        options = params.pop('options', {})
        self.answer = self.client.post(path, data=json.dumps(
            {'jsonrpc': '2.0', 'method': 'call', 'params': params, 'id': 1}), **options)
        return self.result()

    def result(self):
        """The result in the last answer; None when it is a page, such as 503."""
        if self.answer.status_code != 200:
            return None
        told = json.loads(self.answer.data)
        assert 'error' not in told, told
        return told['result']

    def sign_in(self, session_id='k', **options):
        return self.call(SIGN_IN, session_id=session_id, db='db', login='u', password='secret',
                         base_location='http://localhost', options=options)


@pytest.fixture
def browser(root):
    return Browser(root)


def stored(context):
    return list(context.store.client().scan_iter(match=context.store.keys.session_pattern))


def test_without_a_cookie_nothing_is_stored_and_no_cookie_is_set(browser, context, root):
    for _ in range(3):
        assert browser.call(INFO)['uid'] is False
        assert browser.set_cookie is None
    browser.get('/web/webclient/home')
    assert stored(context) == []
    browser.call(SAVE_ACTION, the_action={'anonymous': 'noise'})
    assert stored(context) == [] and browser.sid is None


def test_a_failed_log_in_stores_neither_session_nor_password(browser, context):
    browser.call(SIGN_IN, session_id='k', db='db', login='u', password='wrong', base_location='')
    assert stored(context) == [] and browser.sid is None


def test_a_log_in_holds_with_a_cookie_that_scripts_cannot_read(browser):
    browser.sign_in()
    assert re.match(r'^sid=[0-9a-f]{40}; Path=/; HttpOnly; SameSite=Lax$', browser.set_cookie)
    assert browser.call(INFO, session_id='k')['uid'] == 7
    assert browser.set_cookie is None  # it is news only once
    assert browser.call(INFO, session_id='another tab')['uid'] is False


def test_the_cookie_is_secure_when_the_request_came_by_https(browser):
    browser.sign_in(base_url='https://localhost/')
    assert browser.set_cookie.endswith('; Secure')


def test_only_stocks_own_cookie_is_kept_from_an_answer():
    class Answer(object):
        cookies = ()

        def set_cookie(self, name, value='', max_age=None):
            self.cookies += ((name, value, max_age),)
    answer = seam_file.json_dispatch(lambda request, method: Answer(), None)(None, None)
    answer.set_cookie('sid', 'stock')
    answer.set_cookie('mine', 'kept', max_age=3)
    assert answer.cookies == (('mine', 'kept', 3),)


def test_a_planted_id_is_replaced_at_log_in(browser, root):
    planted = 'a' * 40
    browser.sid = planted
    browser.sign_in()
    assert browser.sid != planted
    attacker = Browser(root)
    attacker.sid = planted
    assert attacker.call(INFO, session_id='k')['uid'] is False


def test_a_second_log_in_changes_the_id_and_the_first_is_dead(browser, root):
    browser.sign_in()
    first = browser.sid
    browser.sign_in('another tab')
    assert browser.sid != first
    assert browser.call(INFO, session_id='k')['uid'] == 7
    thief = Browser(root)
    thief.sid = first
    assert thief.call(INFO, session_id='k')['uid'] is False


def test_a_log_out_ends_the_session_in_redis(browser, context):
    browser.sign_in()
    browser.call(SAVE_ACTION, session_id='k', the_action={'type': 'secret'})
    assert len(stored(context)) == 1
    browser.call(SIGN_OUT, session_id='k')
    assert stored(context) == []
    assert browser.call(INFO, session_id='k')['uid'] is False


def test_a_saved_action_is_found_by_the_next_request(browser):
    browser.sign_in()
    key = browser.call(SAVE_ACTION, session_id='k', the_action={'name': u'\xe9'})
    assert browser.call('/web/session/get_session_action', session_id='k', key=key) == {'name': u'\xe9'}


def test_the_password_is_in_no_value_in_redis(browser, context, redis_server):
    browser.sign_in()
    everything = repr(context.store.client().hgetall(stored(context)[0]))
    assert 'secret' not in everything and "'u'" not in everything


def test_a_jsonp_call_in_two_steps_is_not_lost_without_cookies(root):
    body = json.dumps({'jsonrpc': '2.0', 'method': 'call', 'id': 'r1', 'params': {
        'session_id': 'k', 'db': 'db', 'login': 'u', 'password': 'secret', 'base_location': ''}})

    def get(path, **args):
        args['jsonp'] = 'cb'
        answer = client_of(root).get(path, query_string=args).data
        return json.loads(answer[len('cb('):-2])
    first = get(INFO, id='r0', r=json.dumps({'jsonrpc': '2.0', 'method': 'call', 'params': {}}))
    sid = first['httpsessionid']
    posted = client_of(root).post(
        SIGN_IN, query_string={'jsonp': '1', 'id': 'r1', 'session_id': 'k', 'sid': sid}, data={'r': body})
    assert posted.data == 'r1'
    answer = get(SIGN_IN, id='r1', session_id='k', sid=sid)
    assert answer['result']['uid'] == 7
    renewed = answer['httpsessionid']
    assert renewed != sid
    info = get(INFO, id='r2', sid=renewed, session_id='k',
               r=json.dumps({'jsonrpc': '2.0', 'method': 'call', 'params': {'session_id': 'k'}}))
    assert info['result']['uid'] == 7


def test_paths_that_must_not_prolong_a_session_do_not(browser, context):
    browser.sign_in()
    key = stored(context)[0]
    context.store.client().expire(key, 1000)
    browser.get('/web/webclient/version_info?session_id=k')
    assert context.store.client().ttl(key) <= 1000
    browser.call(INFO, session_id='k')
    assert context.store.client().ttl(key) > 600000


def test_while_redis_is_away_sessions_wait_and_static_files_go_on(browser, redis_server, root):
    browser.sign_in()
    redis_server.pause()
    try:
        browser.get(INFO)
        assert browser.answer.status_code == 503
        assert int(browser.answer.headers['Retry-After']) > 0
        assert 'still logged in' in browser.answer.data
        assert browser.set_cookie is None
        assert browser.get('/web/static/src/js/boot.js').status_code == 200
        assert Browser(root).call(INFO)['uid'] is False  # nobody's session: nobody waits
        newcomer = Browser(root)
        newcomer.sign_in()
        assert newcomer.answer.status_code == 503  # never a log-in that is then lost
    finally:
        redis_server.resume()
    assert browser.call(INFO, session_id='k')['uid'] == 7


def test_a_session_that_was_tampered_with_gets_a_fresh_one(browser, context):
    browser.sign_in()
    context.store.client().hset(stored(context)[0], '=k', 'forged')
    assert browser.call(INFO, session_id='k')['uid'] is False
    browser.sign_in()
    assert browser.call(INFO, session_id='k')['uid'] == 7


def test_stock_is_back_when_the_seams_are_out(host):
    assert type(host.root().session_store).__name__ == 'FilesystemSessionStore'
    assert type(host.root().dispatch).__name__ == 'DisableCacheMiddleware'
