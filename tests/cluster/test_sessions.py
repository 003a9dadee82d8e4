# -*- coding: utf-8 -*-
"""Sessions of two real nodes: races, log-out, revocation, import, OpenID, and Redis away."""
import html
import json
import os
import re
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import psycopg2
import pytest
import requests
from openid_provider import Provider
from testbed import account, paths
from testbed.clients import WebClient, XmlRpcClient
from testbed.waiting import wait_until

INFO = '/web/session/get_session_info'
PROCESSES = 8
CALLS_EACH = 15


@pytest.fixture
def two_nodes(cluster):
    """Two nodes on a database with base, web and auth_openid."""
    return cluster(nodes=2, template='tpl_base', settings={'redis_timeout': '500ms'})


@pytest.fixture
def user(two_nodes):
    """A client signed in through the door that goes round the nodes."""
    client = WebClient(two_nodes.round_robin_url, two_nodes.database)
    assert client.log_in() == 1
    return client


def sid(client):
    return client.http.cookies.get_dict()['sid']


def at(node, client):
    """The same browser, at one node."""
    other = WebClient(node.url, client.database)
    other.session_id = client.session_id
    other.http.cookies.update(client.http.cookies)
    return other


def command(cluster, *arguments):
    """Run oe-cluster-launch as the node's user; return (exit code, what it printed)."""
    node = cluster.nodes[0]
    return account.run([paths.python27('oe-cluster-launch')] + list(arguments[:1])
                       + ['-c', node.configuration_path] + list(arguments[1:]), node.folder)


def leave_calls(work):
    """One process of the race: leave calls at alternating nodes, return their names."""
    number, urls, cookie, session_id = work
    http = requests.Session()
    names = []
    for count in range(CALLS_EACH):
        name = 'r%d-%d' % (number, count)
        call = {'jsonrpc': '2.0', 'method': 'call', 'id': name, 'params': {'session_id': session_id}}
        answer = http.post(urls[(number + count) % 2] + INFO, cookies={'sid': cookie}, timeout=60,
                           params={'jsonp': '1', 'id': name, 'session_id': session_id},
                           data={'r': json.dumps(call)})
        assert answer.text == name, answer.text
        names.append(name)
    return names


def test_the_check_of_a_signed_in_user_costs_a_web_call_no_statement_of_its_own(two_nodes, user):
    postgres, database = two_nodes.postgres, two_nodes.database
    at(two_nodes.nodes[0], user).info()
    postgres.query('ALTER DATABASE "%s" SET log_statement = \'all\'' % database)
    try:
        postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE datname = '%s'" % database)
        for _ in range(6):  # each worker has a connection that logs
            start = len(postgres.log())
            assert at(two_nodes.nodes[0], user).info()['uid'] == 1
        time.sleep(0.2)  # the log is written by another process
        versions = [line for line in postgres.log()[start:].splitlines() if 'xmin' in line]
        assert len(versions) == 1 and 'base_cache_signaling' in versions[0], versions
    finally:
        postgres.query('ALTER DATABASE "%s" RESET log_statement' % database)


def test_eight_processes_race_on_two_nodes_and_no_call_is_lost(two_nodes, user):
    urls = [node.url for node in two_nodes.nodes]
    work = [(number, urls, sid(user), user.session_id) for number in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES) as processes:
        names = [name for found in processes.map(leave_calls, work) for name in found]
    assert len(names) == PROCESSES * CALLS_EACH
    for number, name in enumerate(names):
        user.url = urls[number % 2]
        answer = user.get(INFO, params={'jsonp': 'cb', 'id': name, 'session_id': user.session_id}).text
        told = json.loads(answer[len('cb('):-2])
        assert told.get('result', {}).get('uid') == 1, (name, told)


def test_a_slow_request_that_ends_after_the_log_out_does_not_undo_it(two_nodes, user):
    a, b = (at(node, user) for node in two_nodes.nodes)
    call = {'jsonrpc': '2.0', 'method': 'call', 'id': 'slow', 'params': {
        'session_id': user.session_id, 'model': 'res.partner.title', 'method': 'search',
        'args': [[]], 'kwargs': {}}}
    a.http.post(a.url + '/web/dataset/call_kw', data={'r': json.dumps(call)}, timeout=30,
                params={'jsonp': '1', 'id': 'slow', 'session_id': user.session_id})
    lock = psycopg2.connect(two_nodes.postgres.dsn(two_nodes.database))
    lock.cursor().execute('LOCK TABLE res_partner_title IN ACCESS EXCLUSIVE MODE')
    answers = []
    slow = threading.Thread(target=lambda: answers.append(a.get('/web/dataset/call_kw', params={
        'jsonp': 'cb', 'id': 'slow', 'session_id': user.session_id}).text))
    slow.start()
    waiting = ("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '%s'"
               % two_nodes.database)
    wait_until(lambda: int(two_nodes.postgres.query(waiting)[0][0]), 20, "the slow request waits")
    b.log_out()
    lock.rollback()
    slow.join()
    assert 'result' in answers[0]  # it was answered, and it had changed the session
    for client in (a, b):
        assert not client.info()['uid']


def test_a_log_in_changes_the_id_and_the_old_one_is_dead_on_both_nodes(two_nodes, user):
    old = sid(user)
    thieves = [at(node, user) for node in two_nodes.nodes]
    user.session_id = None
    user.log_in()
    assert sid(user) != old
    for thief in thieves:
        assert sid(thief) == old
        assert not thief.info()['uid']
    assert user.info()['uid'] == 1


def test_while_redis_is_away_sessions_wait_and_nobody_is_logged_out(two_nodes, user):
    two_nodes.redis.pause()
    try:
        for node in two_nodes.nodes:
            client = at(node, user)
            began = time.time()
            answer = client.http.post(node.url + INFO, data='{"params": {}}', timeout=30)
            assert answer.status_code == 503 and int(answer.headers['Retry-After']) > 0
            assert time.time() - began < 3
            assert 'Set-Cookie' not in answer.headers
            assert client.get('/web/static/src/js/boot.js').status_code == 200
    finally:
        two_nodes.redis.resume()
    for node in two_nodes.nodes:
        wait_until(lambda node=node: at(node, user).info()['uid'] == 1, 10, "still logged in")


def test_a_revocation_from_the_command_line_holds_on_every_node(two_nodes, user):
    other = WebClient(two_nodes.round_robin_url, two_nodes.database)
    other.log_in()
    code, printed = command(two_nodes, 'sessions', 'list', '-f', 'json')
    assert code == 0, printed
    rows = json.loads(printed)
    assert [(row['database'], row['uid'], row['login']) for row in rows] == [
        (two_nodes.database, 1, 'admin')] * 2
    code, printed = command(two_nodes, 'sessions', 'revoke', sid(user))
    assert (code, printed) == (0, '1 session revoked\n')
    for node in two_nodes.nodes:
        assert not at(node, user).info()['uid']
        assert at(node, other).info()['uid'] == 1
    code, printed = command(two_nodes, 'sessions', 'revoke', '--login', 'admin')
    assert (code, printed) == (0, '1 session revoked\n')
    for node in two_nodes.nodes:
        assert not at(node, other).info()['uid']


def test_a_key_is_rotated_without_logging_anybody_out(two_nodes, user):
    code, printed = command(two_nodes, 'key', 'rotate')
    assert code == 0, printed
    newcomers = []
    for node in two_nodes.nodes:
        node.hang_up()
        node.wait_until_serving()
        newcomers.append(WebClient(node.url, two_nodes.database))
        newcomers[-1].log_in()
    for node in two_nodes.nodes:
        for client in newcomers + [user]:
            assert at(node, client).info()['uid'] == 1


def test_sessions_of_the_stock_server_go_on_after_an_import(two_nodes, stock):
    server = stock(database=two_nodes.database)
    client = WebClient(server.url, two_nodes.database)
    assert client.log_in() == 1
    folder = os.path.join(server.folder, 'oe-sessions-%s' % account.current().pw_name)
    path = os.path.join(folder, 'werkzeug_%s.sess' % sid(client))
    wait_until(lambda: os.path.exists(path), 10, "it is there")
    server.stop()
    files = sorted(os.listdir(folder))
    code, printed = command(two_nodes, 'sessions', 'import', folder, '-f', 'json')
    assert code == 0 and json.loads(printed)['imported'] == 1, printed
    assert sorted(os.listdir(folder)) == files
    for node in two_nodes.nodes:
        moved = at(node, client)
        assert moved.info()['uid'] == 1
        assert isinstance(moved.call('res.users', 'search', []), list)


def begin_openid(client, provider):
    """The form that the web client would send to the provider, as the node made it: {name: value}."""
    answer = client.json('/auth_openid/login/verify', db=client.database, url=provider.identity)
    assert answer.get('action') == 'post', answer
    client.session_id = answer['session_id']
    form = {}
    for field in re.findall('<input[^>]*>', answer['value']):
        words = dict(re.findall('([a-z]+)="([^"]*)"', field))
        if 'name' in words:
            form[words['name']] = html.unescape(words['value'])
    return form


def test_an_openid_log_in_that_begins_on_one_node_ends_on_the_other_and_only_once(two_nodes):
    admin = XmlRpcClient(two_nodes.round_robin_url, two_nodes.database)
    with Provider() as provider:
        openid = {'openid_url': provider.identity, 'openid_email': False}
        admin.call('res.users', 'write', [admin.uid], openid)
        client = WebClient(two_nodes.round_robin_url, two_nodes.database)
        form = begin_openid(client, provider)
        began_on = client.node
        returned = requests.post(provider.url + '/endpoint', data=form, allow_redirects=False, timeout=30)
        assert returned.status_code == 302, returned.text
        home = returned.headers['Location']
        ended = client.http.get(home, allow_redirects=False, timeout=30)
        assert ended.headers['X-Node'] != began_on
        assert ended.status_code == 303 and 'loginerror' not in ended.headers['Location'], ended.headers
        assert provider.associations == 1
        for node in two_nodes.nodes:
            assert at(node, client).info()['uid'] == admin.uid
            replayed = at(node, client).http.get(
                home.replace(two_nodes.round_robin_url, node.url), allow_redirects=False, timeout=30,
                headers={'Host': two_nodes.round_robin_url.split('//')[1]})
            assert 'loginerror' in replayed.headers['Location']
        again = WebClient(two_nodes.round_robin_url, two_nodes.database)
        begin_openid(again, provider)
        assert provider.associations == 1  # whichever node it was, it knew the association
