# -*- coding: utf-8 -*-
"""What a node makes of requests that are wrong, slow, huge, cut off or forged."""
import http.client
import json
import os
import socket
import struct
import threading
import time
import urllib.request

import pytest
from testbed import account, session
from testbed.addon import ProbeAddon
from testbed.clients import XmlRpcClient
from testbed.node import VERSION_CALL
from testbed.waiting import wait_until

BODY = VERSION_CALL.encode()


@pytest.fixture
def node(cluster):
    """One node with one worker, so that whoever harms it is noticed."""
    return cluster(nodes=1, template='tpl_base', workers=1, settings={
        'limit_body': '64K', 'client_timeout': '2s', 'access_log': 'on',
        'trusted_proxies': '127.0.0.1, 10.0.0.0/8'}).nodes[0]


def send(node, raw, half_close=False, timeout_seconds=10):
    """What comes back for raw bytes."""
    with socket.create_connection(('127.0.0.1', node.port), timeout=timeout_seconds) as connection:
        connection.sendall(raw)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b''
        while True:
            read = connection.recv(65536)
            if not read:
                return answer
            answer += read


def post(*headers, body=BODY):
    lines = ['POST /xmlrpc/common HTTP/1.1', 'Host: x', 'Content-Type: text/xml'] + list(headers)
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def status(answer):
    return int(answer.split(b' ', 2)[1]) if answer else 0


def chunked(body, size=7):
    pieces = [body[start:start + size] for start in range(0, len(body), size)]
    return b''.join(b'%x\r\n%s\r\n' % (len(piece), piece) for piece in pieces) + b'0\r\n\r\n'


def test_any_bytes_in_a_path_are_answered_and_make_no_line_in_the_log(node):
    # what is not UTF-8 OpenERP cannot decode
    for path in (b'/%0Aforged%20line', b'/%C3%A9t%C3%A9', b'/%FF', b'/\xff\xfe'):
        answer = send(node, b'GET %s HTTP/1.1\r\nHost: x\r\nX-Request-ID: mine\r\n\r\n' % path)
        assert status(answer) in (404, 500) and b'X-Request-ID: mine' in answer, path
    assert not [line for line in node.log().splitlines() if line.startswith('forged')]


def test_requests_that_two_servers_could_read_differently_are_refused(node):
    length = 'Content-Length: %d' % len(BODY)
    assert status(send(node, post(length))) == 200
    assert status(send(node, post('Transfer-Encoding: chunked', body=chunked(BODY)))) == 200
    for headers in (['Transfer-Encoding: chunked', length], [length, 'Transfer-Encoding: chunked'],
                    ['Transfer-Encoding: gzip, chunked'], ['Transfer-Encoding: xchunked'],
                    ['Transfer-Encoding : chunked'], [length, length], ['Content-Length: +5'],
                    [length, 'X: a\n b'], [length, 'X: a', ' b']):
        assert status(send(node, post(*headers))) == 400, headers
    assert status(send(node, post())) == 411
    assert status(send(node, b'POST / HTTP/3.0\r\n\r\n')) in (400, 505)
    assert status(send(node, post('Transfer-Encoding: chunked', body=b'zz\r\nx\r\n0\r\n\r\n'))) == 400
    assert client_works(node)


def client_works(node):
    return XmlRpcClient(node.url, node.options['db_name']).uid == 1


def test_a_chunked_call_is_answered_like_any_other(node):
    plain = send(node, post('Content-Length: %d' % len(BODY)))
    pieces = send(node, post('Transfer-Encoding: chunked', body=chunked(BODY)))
    assert plain.split(b'\r\n\r\n')[1] == pieces.split(b'\r\n\r\n')[1]


def test_a_body_over_the_limit_is_answered_even_while_it_is_still_sent(node):
    huge = b'x' * (4 << 20)
    answer = send(node, post('Content-Length: %d' % len(huge), body=huge))
    assert status(answer) == 413 and b'limit_body' in answer
    answer = send(node, post('Transfer-Encoding: chunked', body=chunked(huge, 65536)))
    assert status(answer) == 413


def test_too_many_or_too_long_headers_are_refused(node):
    assert status(send(node, post(*['X-%d: y' % number for number in range(200)]))) == 400
    assert status(send(node, post('X: ' + 'y' * 20000))) == 400
    assert status(send(node, b'GET /' + b'x' * 20000 + b' HTTP/1.1\r\n\r\n')) == 400
    assert client_works(node)


def test_clients_that_break_off_never_cost_a_worker(node):
    worker = [pid for pid, title in node.titles().items() if 'http worker' in title]
    request = post('Content-Length: %d' % len(BODY))
    for cut in (1, 20, len(request) - len(BODY), len(request) - 5, len(request)):
        connection = socket.create_connection(('127.0.0.1', node.port))
        connection.sendall(request[:cut])
        # linger 0: close() sends a reset instead of an orderly end
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        connection.close()
    big = socket.create_connection(('127.0.0.1', node.port))
    path = b'/web/static/lib/jquery.ui/js/jquery-ui-1.8.17.custom.min.js'
    big.sendall(b'GET ' + path + b' HTTP/1.1\r\nHost: x\r\n\r\n')
    big.recv(10)
    big.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    big.close()
    assert client_works(node)
    assert [pid for pid, title in node.titles().items() if 'http worker' in title] == worker
    assert 'Traceback' not in node.log()


def test_a_large_file_reaches_a_client_that_reads_slowly(cluster):
    addon = ProbeAddon(session.fresh_folder('addons')).write('1')
    content = os.urandom(1 << 20) * 24  # more than the kernel keeps for a connection
    path = os.path.join(addon.path, 'static', 'large.bin')
    with open(path, 'wb') as stream:
        stream.write(content)
    account.give(path)
    node = cluster(nodes=1, template='tpl_base', workers=1,
                   options={'addons_path': addon.addons_path()}).nodes[0]
    with socket.create_connection(('127.0.0.1', node.port), timeout=10) as connection:
        connection.sendall(b'GET /probe/static/large.bin HTTP/1.1\r\nHost: x\r\n\r\n')
        answer = b''
        while True:
            read = connection.recv(1 << 20)
            if not read:
                break
            answer += read
            time.sleep(0.01)
    head, body = answer.split(b'\r\n\r\n', 1)
    assert status(head) == 200 and len(body) == len(content) and body == content


def test_a_client_that_sends_nothing_is_dropped_after_client_timeout(node):
    began = time.time()
    with socket.create_connection(('127.0.0.1', node.port)) as connection:
        connection.sendall(post('Content-Length: %d' % len(BODY))[:-10])
        connection.settimeout(10)
        assert connection.recv(100) == b''
    assert 1.5 < time.time() - began < 5
    assert client_works(node)


def test_the_request_id_is_taken_made_returned_and_logged(node):
    taken = send(node, post('Content-Length: %d' % len(BODY), 'X-Request-ID: from-nginx-4711'))
    assert b'X-Request-ID: from-nginx-4711\r\n' in taken
    wait_until(lambda: 'request from-nginx-4711' in node.log(), 5, "it stands in the log")
    forged = send(node, post('Content-Length: %d' % len(BODY), 'X-Request-ID: a b;c"d'))
    made = forged.split(b'X-Request-ID: ')[1].split(b'\r\n')[0].decode()
    assert len(made) == 32
    wait_until(lambda: 'request ' + made in node.log(), 5, "it stands in the log")


def test_one_request_bears_one_id_in_nginx_in_the_node_and_in_the_answer(cluster):
    one = cluster(nodes=1, template='tpl_base', settings={'access_log': 'on'})
    request = urllib.request.Request(one.url + '/xmlrpc/common', BODY, {'Content-Type': 'text/xml'})
    with urllib.request.urlopen(request, timeout=20) as answer:
        made = answer.headers['X-Request-ID']
    wait_until(lambda: made in one.nodes[0].log(), 5, "the node has logged it")

    def last_line_of_nginx():  # written when the answer has left already
        with open(os.path.join(one.nginx.folder, 'access.log')) as log:
            return (log.read().splitlines() or [''])[-1]
    wait_until(last_line_of_nginx, 5, "nginx has logged it")
    assert last_line_of_nginx().endswith(' ' + made)


def access_lines(node):
    return [line for line in node.log().splitlines() if 'oe_cluster_launch.access' in line]


def test_the_clients_address_is_found_behind_a_chain_of_proxies_and_cannot_be_forged(node):
    length = 'Content-Length: %d' % len(BODY)
    send(node, post(length, 'X-Forwarded-For: 1.2.3.4, 203.0.113.9, 10.0.0.7'))
    wait_until(lambda: ': 203.0.113.9 "POST' in access_lines(node)[-1], 5, "the client was found")
    send(node, post(length, 'X_Forwarded_For: 6.6.6.6'))
    wait_until(lambda: ': 127.0.0.1 "POST' in access_lines(node)[-1], 5, "the forgery was ignored")


def test_live_and_ready_are_answered_without_openerp(node):
    assert status(send(node, b'GET /_cluster/live HTTP/1.1\r\nHost: x\r\n\r\n')) == 200
    assert status(send(node, b'GET /_cluster/ready HTTP/1.1\r\nHost: x\r\n\r\n')) == 200
    assert status(send(node, b'GET /_cluster/else HTTP/1.1\r\nHost: x\r\n\r\n')) == 404


def test_a_rotated_log_loses_no_line(cluster):
    """logrotate with `create`: rename, no signal. Every request has its line in one of the files."""
    made = cluster(nodes=1, template='tpl_base', wait=False, settings={
        'access_log': 'on', 'log_format': 'json'})
    node = made.nodes[0]
    path = os.path.join(node.folder, 'openerp.log')
    node.options['logfile'] = path
    made.start()
    sent, end = [], threading.Event()

    def ask(name):
        while not end.is_set():
            connection = http.client.HTTPConnection('127.0.0.1', node.port, timeout=10)
            request_id = '%s-%d' % (name, len(sent))
            connection.request('POST', '/xmlrpc/common', VERSION_CALL,
                               {'Content-Type': 'text/xml', 'X-Request-ID': request_id})
            assert connection.getresponse().status == 200
            connection.close()
            sent.append(request_id)
    clients = [threading.Thread(target=ask, args=(name,)) for name in ('one', 'two', 'three')]
    for client in clients:
        client.start()
    for number in range(5):
        time.sleep(0.5)
        os.rename(path, '%s.%d' % (path, number))
    time.sleep(0.5)
    end.set()
    for client in clients:
        client.join(10)
    files = [path] + ['%s.%d' % (path, number) for number in range(5)]

    def logged():
        lines = []
        for name in files:
            with open(name) as log:
                lines += [json.loads(line) for line in log]
        return [line['request_id'] for line in lines
                if line['logger'] == 'oe_cluster_launch.access' and '-' in line['request_id']]
    # the line is written after the answer was sent
    wait_until(lambda: len(logged()) >= len(sent), 5, "every request has its line")
    assert len(sent) > 100
    assert sorted(logged()) == sorted(sent)


def test_json_lines_have_node_database_user_and_traceback(cluster):
    node = cluster(nodes=1, template='tpl_base', settings={
        'access_log': 'on', 'log_format': 'json'}).nodes[0]
    client = XmlRpcClient(node.url, node.options['db_name'])
    with pytest.raises(Exception, match='no_such_method'):
        client.call('res.users', 'no_such_method')

    def lines():
        found = []
        for line in node.log().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:  # Python's own warnings on standard error
                continue
        return found
    failed = [line for line in lines() if 'traceback' in line and 'no_such_method' in line['message']][0]
    assert (failed['node'], failed['db'], failed['uid']) == ('a', client.database, 1)
    assert failed['level'] == 'ERROR' and failed['request_id'] and failed['pid'] in node.children()
    # written after the answer was sent
    wait_until(lambda: [line for line in lines() if line['logger'] == 'oe_cluster_launch.access'
                        and line['request_id'] == failed['request_id']], 5, "the access line is there")
    wait_until(lambda: any(line['logger'].endswith('keeper') for line in lines()), 5,
               "the keeper's lines are JSON, too")
