# -*- coding: utf-8 -*-
"""What `oe-cluster-launch nginx` prints, tried with real requests before real nodes."""
import itertools
import os
import re
import socket
import subprocess

import pytest
import requests
from requests.adapters import HTTPAdapter
from testbed import paths, session
from testbed.breaking import BreakingServer
from testbed.clients import WebClient, XmlRpcClient
from testbed.cluster import Cluster
from testbed.postgres import database_name
from testbed.redis_server import RedisServer
from testbed.site import Site

NODE_CONF = os.path.join(paths.CHECKOUT, 'conf', 'node.conf')
#: a script and a picture that OpenERP from PyPI has
SCRIPT = '/web/static/src/js/chrome.js'
#: machines inside and outside, as nginx sees them
INSIDE, OUTSIDE, GUESSER = '127.0.0.1', '127.0.0.2', '127.0.0.3'


def printed(*words, **more):
    """What the command prints, by the Python 2.7 that operators use."""
    return subprocess.check_output(
        [paths.python27('oe-cluster-launch'), 'nginx', '-c', more.get('conf', NODE_CONF)] + list(words),
        universal_newlines=True)


def nodes_of(*servers):
    return [word for server in servers for word in ('--node', '127.0.0.1:%d' % server.port)]


@pytest.fixture
def site(session_folder):
    """A function: site('--tls', ...) starts nginx with what the command prints for these words."""
    started = []

    def start(*words, **more):
        started.append(Site(session.fresh_folder('site'), printed(*words, **more)))
        return started[-1].start()
    yield start
    for each in started:
        each.kill_all()


@pytest.fixture(scope='module')
def two_nodes(postgres):
    database = postgres.create_database(database_name('test_nginx'), 'tpl_base')
    redis = RedisServer(session.fresh_folder('redis')).start()
    made = Cluster(session.fresh_folder('cluster'), postgres, redis, database, nodes=2)
    yield made.start()
    made.kill_all()
    redis.kill_all()


class FromAddress(HTTPAdapter):
    """Makes requests come from another loopback address: another client in nginx's eyes."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *words, **more):
        super().init_poolmanager(*words, source_address=(self.address, 0), **more)


def client_at(address):
    client = requests.Session()
    client.mount('http://', FromAddress(address))
    return client


# ------------------------------------------------------------------ every variant
VARIANTS = list(itertools.product(('ip_hash', 'cookie', 'least_conn'), (False, True), (False, True)))


@pytest.mark.parametrize('balance, tls, static', VARIANTS)
def test_nginx_accepts_every_variant(certificates, session_folder, balance, tls, static):
    words = ['--balance', balance, '--node', '10.0.0.11:8069', '--node', '[fd00::12]:8069']
    words += ['--tls', certificates.server_certificate, certificates.server_key,
              '--server-name', 'erp.example.com'] if tls else []
    words += ['--static', '/opt/openerp/addons', '--static', '/srv/addons'] if static else []
    accepted_by_nginx(printed(*words))


def test_nginx_accepts_the_example(certificates):
    with open(os.path.join(paths.CHECKOUT, 'conf', 'nginx.conf')) as source:
        text = source.read()
    text = re.sub(r'ssl_certificate \S+;', 'ssl_certificate %s;' % certificates.server_certificate, text)
    accepted_by_nginx(re.sub(r'ssl_certificate_key \S+;', 'ssl_certificate_key %s;' % certificates.server_key,
                             text))


def accepted_by_nginx(text):
    """Fail, with nginx's own words, unless it accepts the text without a warning."""
    made = Site(session.fresh_folder('site'), text)
    made.configure()
    checked = subprocess.run(made.command('-t'), stderr=subprocess.PIPE, timeout=20, universal_newlines=True)
    assert checked.returncode == 0 and 'warn' not in checked.stderr, checked.stderr


@pytest.mark.parametrize('words', [
    ('--node', 'no port'), ('--server-name', 'a b;'), ('--static', 'relative'), ('--inside', '10.0.0.0/99'),
    ('--tls', '/cert;', '/key')])
def test_what_nginx_would_misread_is_refused(words):
    refused = subprocess.run([paths.python27('oe-cluster-launch'), 'nginx', '-c', NODE_CONF] + list(words),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert refused.returncode == 64 and not refused.stdout
    assert refused.stderr.startswith('oe-cluster-launch: %s' % words[0])


# ------------------------------------------------------------------ what is never sent twice
@pytest.mark.parametrize('method, path, times', [
    ('POST', '/xmlrpc/object', 1), ('GET', '/web', 2), ('PUT', '/webdav/db/file', 1),
    ('DELETE', '/webdav/db/file', 1), ('MOVE', '/webdav/db/file', 1)])
def test_what_changes_data_is_sent_once_even_when_a_node_breaks_off(site, method, path, times):
    servers = [BreakingServer(), BreakingServer()]
    front = site('--balance', 'least_conn', *nodes_of(*servers))
    answer = requests.request(method, front.url + path, data='x', timeout=30)
    assert answer.status_code == 502
    assert sum((server.requests for server in servers), []) == ['%s %s HTTP/1.1' % (method, path)] * times
    for server in servers:
        server.close()


def test_a_post_goes_to_the_next_node_when_it_was_sent_to_none(site, two_nodes):
    gone = BreakingServer()
    gone.close()
    front = site('--balance', 'least_conn', *nodes_of(gone, two_nodes.nodes[0]))
    assert all(XmlRpcClient(front.url, two_nodes.database).uid for _ in range(2))
    assert '127.0.0.1:%d, 127.0.0.1:%d' % (gone.port, two_nodes.nodes[0].port) in front.answered_by()


# ------------------------------------------------------------------ what is refused
def status_of(front, head):
    """The status of a request written by hand."""
    with socket.create_connection(('127.0.0.1', front.port), 20) as connection:
        connection.sendall(head.replace('\n', '\r\n').encode())
        return int(connection.makefile('rb').readline().split()[1])


@pytest.mark.parametrize('headers', [
    'Transfer-Encoding: chunked\nContent-Length: 5', 'Content-Length: 5\nTransfer-Encoding: chunked',
    'Transfer-Encoding: xchunked', 'Transfer-Encoding: chunked, identity', 'Transfer-Encoding: identity',
    'Transfer-Encoding: chunked\nTransfer-Encoding: chunked', 'Content-Length: 5\nContent-Length: 6'])
def test_a_body_that_could_end_in_two_places_reaches_no_node(site, headers):
    server = BreakingServer()
    front = site(*nodes_of(server))
    code = status_of(front, 'POST /web HTTP/1.1\nHost: x\n%s\n\n0\n\n' % headers)
    assert code in (400, 501) and server.requests == []
    server.close()


@pytest.mark.parametrize('coding, length, code', [
    ('', '5', 502), ('', '', 502), ('chunked', '', 502), ('Chunked', '', 502), ('chunked', '5', 400),
    ('xchunked', '', 400), ('chunked, identity', '', 400), ('identity', '5', 400), ('', '5, 6', 400)])
def test_an_older_nginx_refuses_it_by_our_rule(session_folder, coding, length, code):
    """This nginx refuses before it comes to the rule, so the rule is fed with headers it does not know."""
    text = printed('--node', '127.0.0.1:1').replace(
        '$http_transfer_encoding:$http_content_length', '$http_x_coding:$http_x_length')
    with Site(session.fresh_folder('site'), text).start() as front:
        answer = requests.get(front.url, headers={'X-Coding': coding, 'X-Length': length}, timeout=30)
        assert answer.status_code == code


def test_a_chunked_body_is_answered(site, two_nodes):
    front = site(*nodes_of(*two_nodes.nodes))
    call = ('<?xml version="1.0"?><methodCall><methodName>version</methodName><params></params>'
            '</methodCall>')
    answer = requests.post(front.url + '/xmlrpc/common', data=iter([call.encode()]), timeout=30)
    assert answer.status_code == 200 and b'7.0' in answer.content


@pytest.mark.parametrize('path', ['/_cluster/ready', '//_cluster/ready', '/%5Fcluster/ready',
                                  '/x/../_cluster/ready', '/web/..%2f_cluster/ready', '/web/health'])
def test_the_state_of_the_cluster_is_for_people_inside(site, two_nodes, path):
    node = two_nodes.nodes[0]
    front = site('--inside', INSIDE, *nodes_of(node), conf=node.configuration_path)
    for address, code in ((INSIDE, 200), (OUTSIDE, 403)):
        request = requests.Request('GET', front.url).prepare()
        request.url = front.url + path  # as written, not as requests would tidy it
        answer = client_at(address).send(request, timeout=30)
        if address == INSIDE and path not in ('/_cluster/ready', '/web/health'):
            continue  # how a node reads an odd path is its own business
        assert answer.status_code == code
    assert front.answered_by()[0] == '127.0.0.1:%d' % node.status_port


def test_guessing_passwords_is_slowed_down_and_nobody_else_is(site, two_nodes):
    front = site(*nodes_of(*two_nodes.nodes))
    guesser = client_at(GUESSER)
    codes = [guesser.post(front.url + '/web/session/authenticate', timeout=30, json={
        'jsonrpc': '2.0', 'params': {'db': two_nodes.database, 'login': 'admin', 'password': 'guess %d' % n}
    }).status_code for n in range(60)]
    assert codes[:30] == [200] * 30 and codes.count(429) >= 10
    assert guesser.get(front.url + SCRIPT, timeout=30).status_code == 200
    assert WebClient(front.url, two_nodes.database).log_in()


# ------------------------------------------------------------------ static files
def test_files_of_addons_come_from_nginxs_cache_even_when_no_node_answers(site, two_nodes):
    front = site(*nodes_of(two_nodes.nodes[0]))
    first, second = (requests.get(front.url + SCRIPT, timeout=30) for _ in range(2))
    assert [each.headers['X-Cache'] for each in (first, second)] == ['MISS', 'HIT']
    assert first.content == second.content and first.headers['Content-Encoding'] == 'gzip'
    fresh = requests.get(front.url + SCRIPT, headers={'Referer': front.url + '/web?debug='}, timeout=30)
    assert fresh.headers['X-Cache'] == 'BYPASS'
    two_nodes.nodes[0].pause()
    try:
        assert requests.get(front.url + SCRIPT, timeout=30).content == first.content
    finally:
        two_nodes.nodes[0].resume()


def test_nginx_reads_the_addons_itself_where_it_has_them(site):
    addons = session.fresh_folder('addons')
    os.makedirs(os.path.join(addons, 'sale', 'static'))
    for path, text in ((('sale', 'static', 'a.js'), 'ours'), (('sale', 'secret.py'), 'secret')):
        with open(os.path.join(addons, *path), 'w') as target:
            target.write(text)
    server = BreakingServer()
    front = site('--static', '/nowhere', '--static', addons, *nodes_of(server))
    found = requests.get(front.url + '/sale/static/a.js', timeout=30)
    assert found.text == 'ours' and 'max-age=43200' in found.headers['Cache-Control'] and not server.requests
    for path in ('/sale/secret.py', '/sale/static/../secret.py', '/sale/static/b.js'):
        request = requests.Request('GET', front.url).prepare()
        request.url = front.url + path
        assert requests.Session().send(request, timeout=30).status_code == 502  # a node's business
    server.close()


# ------------------------------------------------------------------ TLS, balance, members
def test_tls_log_in_keeps_the_cookie_off_clear_connections(site, two_nodes, certificates):
    front = site('--tls', certificates.server_certificate, certificates.server_key,
                 *nodes_of(*two_nodes.nodes))
    client = WebClient(front.tls_url, two_nodes.database)
    client.http.trust_env, client.http.verify = False, certificates.authority
    assert client.log_in() and client.info()['uid'] == client.uid
    assert [cookie.secure for cookie in client.http.cookies if cookie.name == 'sid'] == [True]
    redirected = requests.post(front.url + '/web', allow_redirects=False, timeout=30)
    assert redirected.status_code == 308 and redirected.headers['Location'].startswith('https://')


def test_cookies_spread_an_office_over_the_nodes_and_keep_each_person_on_one(site, two_nodes):
    front = site('--balance', 'cookie', *nodes_of(*two_nodes.nodes))
    for person in range(16):
        for _ in range(2):
            requests.get(front.url + '/web/webclient/version_info', cookies={'sid': 'person%d' % person},
                         timeout=30)
    by_person = list(zip(*[iter(front.answered_by())] * 2))
    assert all(first == second for first, second in by_person) and len(set(by_person)) == 2


def test_the_nodes_that_run_are_taken_from_the_clusters_own_list(two_nodes):
    text = printed('--members', conf=two_nodes.nodes[0].configuration_path)
    assert sorted(re.findall(r'^    server (\S+)', text.split('upstream ')[1], re.MULTILINE)) == sorted(
        '127.0.0.1:%d' % node.port for node in two_nodes.nodes)
    accepted_by_nginx(text)
