# -*- coding: utf-8 -*-
"""What a node counts is what was done, over all its processes, over their deaths and over reloads."""
import collections
import glob
import http.client
import json
import os
import re
import signal
import socket
import struct
import threading
import urllib.error
import urllib.request
import xmlrpc.client

import pytest
from test_examples import expressions
from testbed import session, slow
from testbed.clients import WebClient, XmlRpcClient
from testbed.cluster import Cluster
from testbed.ports import free_port
from testbed.redis_server import RedisServer
from testbed.scrape import Difference, scrape
from testbed.waiting import wait_until

from oe_cluster_launch.metrics import table

WORKERS = 2


class Statsd(threading.Thread):
    """A statsd that only listens."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.address = '127.0.0.1:%d' % self.socket.getsockname()[1]
        self.heard = collections.Counter()
        self.start()

    def run(self):
        while True:
            self.heard[self.socket.recv(65536).decode()] += 1


@pytest.fixture(scope='module')
def statsd():
    return Statsd()


@pytest.fixture(scope='module')
def one(postgres, statsd):
    """One node with two workers, for all tests of this file: each counts what is new."""
    redis = RedisServer(session.fresh_folder('redis')).start()
    database = postgres.create_database('metrics', 'tpl_base')
    made = Cluster(session.fresh_folder('metrics'), postgres, redis, database, nodes=1, workers=WORKERS,
                   options={'limit_time_real': 2, 'limit_request': 60},
                   settings={'status_port': free_port(), 'statsd_host': statsd.address, 'statsd_prefix': 'oe',
                             'cron_lease_ttl': '3s', 'cron_renew_interval': '300ms', 'redis_timeout': '200ms',
                             'cron_lease_margin': '500ms', 'cron_stop_timeout': '500ms', 'limit_body': '1M'})
    yield made.start()
    made.kill_all()
    redis.kill_all()


@pytest.fixture
def node(one):
    return one.nodes[0]


@pytest.fixture
def client(one, node):
    return XmlRpcClient(node.url, one.database)


def status_url(node):
    """Where the answerer serves: asking there changes no worker's count."""
    return 'http://127.0.0.1:%d' % node.cluster['status_port']


def workers(node):
    return sorted(pid for pid, title in node.titles().items() if 'http worker' in title)


def folders(node):
    return glob.glob(os.path.join(node.folder, 'oe-metrics-*'))


def owners(node):
    """The process ids whose files are in the node's folder; 'ended' for those that were folded."""
    folder, = folders(node)
    return set(os.path.basename(path)[:-3].rpartition('_')[2] for path in glob.glob(folder + '/*.db'))


def no_file_of_a_dead_process(node):
    return owners(node) <= {'ended'} | set(str(pid) for pid in node.titles())


def leads(node, yes):
    return scrape(status_url(node)).sum('oe_cluster_cron_leader') == yes


def reaches_redis(node, yes):
    return scrape(status_url(node)).sum('oe_cluster_redis_up') == yes


def becomes(since, number, name, **labels):
    """A worker writes what it has noted when it is idle, at the latest after a quarter of a second."""
    wait_until(lambda: since(name, **labels) == number, 5, "%s %s is %d" % (name, labels or '', number))


def test_requests_are_counted_exactly_by_kind_and_status_over_all_workers(one, node, client):
    web = WebClient(node.url, one.database)
    since = Difference(status_url(node))
    for _ in range(20):
        client.call('res.users', 'search', [])
    for _ in range(5):
        web.get('/web/static/src/js/boot.js')
    web.get('/nothing/here')
    web.log_in()
    becomes(since, 2, 'oe_cluster_requests_total', kind='jsonrpc', status='2xx')
    becomes(since, 20, 'oe_cluster_requests_total', kind='xmlrpc', status='2xx')
    assert since('oe_cluster_request_seconds_count', kind='xmlrpc') == 20
    assert since('oe_cluster_requests_total', kind='static', status='2xx') == 5
    assert since('oe_cluster_requests_total', kind='page', status='4xx') == 1
    assert len(owners(node) & set(map(str, workers(node)))) == WORKERS


def test_sessions_and_round_trips_are_counted(one, node):
    web = WebClient(node.url, one.database)
    since = Difference(status_url(node))
    web.log_in()
    becomes(since, 1, 'oe_cluster_session_operations_total', operation='write', outcome='done')
    web.info()
    web.info()
    becomes(since, 2, 'oe_cluster_session_operations_total', operation='open', outcome='done')
    assert since('oe_cluster_session_operations_total', operation='write', outcome='done') == 1
    becomes(since, 4, 'oe_cluster_request_redis_round_trips_count', kind='jsonrpc')
    assert since('oe_cluster_request_redis_round_trips_sum', kind='jsonrpc') >= 3
    assert since('oe_cluster_redis_seconds_count', purpose='sessions') >= 3
    web.log_out()
    web.http.cookies.set('sid', '0' * 40)
    web.get('/web/webclient/version_info')
    wait_until(lambda: since('oe_cluster_session_operations_total', operation='open', outcome='unknown') >= 1,
               5, "it was missed")


def test_refusals_and_clients_that_go_away_are_counted(node):
    since = Difference(status_url(node))
    connection = http.client.HTTPConnection('127.0.0.1', node.port, timeout=5)
    connection.request('POST', '/xmlrpc/object', b'x' * (2 << 20))
    assert connection.getresponse().status == 413
    connection.close()
    wait_until(lambda: since('oe_cluster_requests_total', kind='refused', status='4xx') == 1, 5, "refused")
    assert since('oe_cluster_limits_hit_total', limit='limit_body') == 1
    gone = socket.create_connection(('127.0.0.1', node.port))
    gone.sendall(b'POST /xmlrpc/common HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf')
    gone.close()
    wait_until(lambda: since('oe_cluster_requests_total', status='gone') == 1, 5, "the client was missed")


def test_hostile_paths_methods_and_headers_make_no_new_series(node):
    def hostile():
        paths = ('/x%d', '/static/%d/', '/%d/static/x', '/xmlrpc/%d', '/web/%d?a=b"}', '/_cluster/%d')
        for number in range(10):
            for path in paths:
                for method in ('GET', 'POST', 'BREW%d' % number):
                    connection = http.client.HTTPConnection('127.0.0.1', node.port, timeout=10)
                    connection.request(method, path % number, headers={'Content-Type': 'x/%d' % number})
                    connection.getresponse().read()
                    connection.close()

    hostile()
    before = scrape(status_url(node))
    assert before.sum('oe_cluster_requests_total') > 100
    hostile()
    after = scrape(status_url(node))
    series = [set((sample.name, tuple(sorted(sample.labels.items()))) for sample in page.samples)
              for page in (before, after)]
    assert series[0] == series[1]
    assert len(series[1]) < 1000


def test_a_limit_and_the_end_it_brings_are_counted(node, client):
    action = slow.Action(client, slow.SLEEP_IN_PYTHON, 20)
    since = Difference(status_url(node))
    with pytest.raises(xmlrpc.client.ProtocolError):
        action.run()
    becomes(since, 1, 'oe_cluster_limits_hit_total', limit='limit_time_real')
    becomes(since, 1, 'oe_cluster_requests_total', kind='xmlrpc', status='5xx')
    wait_until(lambda: since('oe_cluster_processes_ended_total', role='http worker',
                             cause='limit_time_real') == 1, 10, "the end of the worker was counted")


def test_counts_outlive_a_killed_worker_and_its_files_go(node, client):
    since = Difference(status_url(node))
    for _ in range(20):
        client.call('res.users', 'search', [])
    # what a worker has noted and not written yet, at most a quarter of a second's, dies with it
    becomes(since, 20, 'oe_cluster_requests_total', kind='xmlrpc', status='2xx')
    victim = workers(node)[0]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: since('oe_cluster_processes_ended_total', role='http worker', cause='crashed') == 1,
               10, "the death was counted")
    wait_until(lambda: len(workers(node)) == WORKERS and str(victim) not in owners(node), 10,
               "the files of the dead worker are gone")
    for _ in range(20):
        client.call('res.users', 'search', [])
    becomes(since, 40, 'oe_cluster_requests_total', kind='xmlrpc', status='2xx')
    assert since('oe_cluster_request_seconds_bucket', kind='xmlrpc', le='+Inf') == 40
    assert 'ended' in owners(node)


def test_counts_are_exact_while_workers_come_and_go(node, client):
    """limit_request replaces each worker several times meanwhile; every scrape is monotonic."""
    since, seen = Difference(status_url(node)), [0]
    for number in range(1, 201):
        client.call('res.users', 'search', [])
        if not number % 20:
            becomes(since, number, 'oe_cluster_requests_total', kind='xmlrpc', status='2xx')
            seen.append(since('oe_cluster_requests_total', kind='xmlrpc', status='2xx'))
    assert seen == list(range(0, 201, 20))
    ends = since('oe_cluster_processes_ended_total', role='http worker', cause='limit_request')
    assert ends >= 2 and since('oe_cluster_limits_hit_total', limit='limit_request') >= ends
    wait_until(lambda: no_file_of_a_dead_process(node), 10, "no file of a dead process is left")


def test_busy_workers_and_the_backlog_are_seen(node, client):
    action = slow.Action(client, slow.SLEEP_IN_PYTHON, 1.7)
    running = [action.start() for _ in range(WORKERS)]
    wait_until(lambda: busiest(node)[0] == WORKERS, 10, "both workers are seen at work")
    waiting = [socket.create_connection(('127.0.0.1', node.port)) for _ in range(3)]
    for call in running:
        call.result()
    running = [action.start() for _ in range(WORKERS + 3)]
    wait_until(lambda: busiest(node)[1] >= 1, 10, "the backlog is seen")
    for connection in waiting:
        connection.close()
    for call in running:
        call.result()
    wait_until(lambda: busiest(node) == (0, 0), 10, "nothing is going on any more")
    assert scrape(status_url(node)).sum('oe_cluster_backlog_limit') > 100


def busiest(node):
    """(busy workers, backlog), read from the files: a scrape would wait behind what it looks at."""
    page = files_of(node)
    return page['oe_cluster_http_workers', 'busy'], page['oe_cluster_backlog_connections', None]


def files_of(node):
    """{(metric, first label): sum over all processes} of the gauges in the node's files.

    Python 2.7's prometheus_client wrote them; the present one reads another form of key.
    """
    found = {}
    for path in glob.glob(folders(node)[0] + '/gauge_*.db'):
        with open(path, 'rb') as source:
            data = source.read()
        used, position = struct.unpack_from('i', data)[0] if data else 0, 8
        while position < used:
            length, = struct.unpack_from('i', data, position)
            _metric, name, labels = json.loads(data[position + 4:position + 4 + length])
            position += 4 + length + (8 - (length + 4) % 8)
            place = name, next(iter(labels.values()), None)
            found[place] = found.get(place, 0) + struct.unpack_from('d', data, position)[0]
            position += 8
    return found


def test_cron_cache_redis_and_postgresql_have_their_figures(node, client):
    wait_until(lambda: leads(node, 1), 20, "this node leads cron")
    since = Difference(status_url(node))
    client.call('res.partner', 'fields_view_get', False, 'form')
    client.call('ir.config_parameter', 'set_param', 'x', '1')
    wait_until(lambda: reaches_redis(node, 1), 10, "the watcher has asked Redis")
    page = scrape(status_url(node))
    assert page.sum('oe_cluster_cron_term') >= 1
    assert 0 < page.sum('oe_cluster_cron_lease_seconds_left') <= 3
    assert page.sum('oe_cluster_cron_leads_taken_total') >= 1
    assert page.sum('oe_cluster_redis_memory_bytes', what='used') > 100000
    assert page.sum('oe_cluster_postgresql_connections_limit') == 64 * (WORKERS + 1)
    wait_until(lambda: since('oe_cluster_ormcache_lookups_total') > 0, 5, "lookups are counted")
    assert page.sum('oe_cluster_node_info', node='a', version='0.1.0') == 1


def test_postgresql_connections_are_those_that_postgresql_sees(one, node, client, postgres):
    """Of the pools of the workers, which bear no name, and of the cron worker."""
    action = slow.Action(client, slow.SLEEP_IN_POSTGRES, 0.3)
    for call in [action.start() for _ in range(2 * WORKERS)]:  # each worker has one
        call.result()

    def seen():
        return int(postgres.query("SELECT count(*) FROM pg_stat_activity WHERE datname = '%s' AND "
                                  "(application_name = '' OR application_name LIKE 'oe-cron %%')"
                                  % one.database)[0][0])
    wait_until(lambda: seen() > WORKERS and seen() == scrape(status_url(node)).sum(
        'oe_cluster_postgresql_connections'), 10, "both see the same")


def test_a_hanging_agent_is_not_shown_as_leader_beyond_its_lease(node):
    wait_until(lambda: leads(node, 1), 20, "this node leads cron")
    agent, = [pid for pid, title in node.titles().items() if ' cron agent [' in title]
    os.kill(agent, signal.SIGSTOP)
    try:
        wait_until(lambda: leads(node, 0), 10, "its lease is over")
    finally:
        os.kill(agent, signal.SIGCONT)


def test_counters_go_on_over_a_reload_and_over_a_new_version_of_the_keeper(node, client):
    since = Difference(status_url(node))
    folder = folders(node)
    for number in (signal.SIGHUP, signal.SIGUSR2):
        before = [pid for pid, title in node.titles().items() if ' master [' in title]
        for _ in range(10):
            client.call('res.users', 'search', [])
        node.signal(number)
        wait_until(lambda before=before: not set(before) & set(node.titles())
                   and len(workers(node)) == WORKERS, 60, "the old master has left")
    for _ in range(10):
        client.call('res.users', 'search', [])
    becomes(since, 30, 'oe_cluster_requests_total', kind='xmlrpc', status='2xx')
    assert since('oe_cluster_masters_ready_total') == 2
    assert folders(node) == folder
    wait_until(lambda: no_file_of_a_dead_process(node), 10, "no file of a dead process is left")
    wait_until(lambda: scrape(status_url(node)).sum('oe_cluster_http_workers') == WORKERS, 10,
               "only living workers are counted")
    assert scrape(status_url(node)).sum('oe_cluster_node_info') == 1


def test_redis_away_is_counted_by_reason_and_seen_on_the_page(one, node, client):
    since = Difference(status_url(node))
    web = WebClient(node.url, one.database)
    web.log_in()
    one.redis.kill_all()
    try:
        assert web.get('/web/webclient/version_info').status_code in (200, 404, 503)
        wait_until(lambda: since('oe_cluster_redis_errors_total', reason='connection') >= 1, 10,
                   "it is counted")
        wait_until(lambda: reaches_redis(node, 0), 15, "the watcher noticed")
    finally:
        one.redis.start()
    wait_until(lambda: reaches_redis(node, 1), 15, "Redis is back")


def test_statsd_hears_gunicorns_names(node, client, statsd):
    names = ['oe.gunicorn.requests:1|c|@1.0', 'oe.gunicorn.request.status.200:1|c|@1.0']
    before = [statsd.heard[name] for name in names]
    for _ in range(10):
        client.call('res.users', 'search', [])
    wait_until(lambda: [statsd.heard[name] for name in names] == [count + 10 for count in before], 10,
               "all requests were told")
    assert any(line.startswith('oe.gunicorn.request.duration:') for line in list(statsd.heard))
    assert statsd.heard['oe.gunicorn.workers:%d|g' % WORKERS] >= 1
    assert statsd.heard['oe.gunicorn.log.error:1|c|@1.0'] >= 1, "the worker that was killed"


def test_every_metric_and_label_that_rules_and_dashboard_name_is_on_the_page(node):
    page = scrape(status_url(node))
    series = [(sample.name, sample.labels) for sample in page.samples]
    found = 0
    for expression in expressions():
        for name, matchers in re.findall(r'\b(oe_cluster_\w+)(?:\{([^}]*)\})?', expression):
            assert name in page.names(), expression
            for label, how, wanted in re.findall(r'(\w+)(=~|=|!=)"([^"]*)"', matchers):
                if label != 'instance':
                    for value in wanted.split('|') if how == '=~' else [wanted]:
                        assert any(of == name and re.match(value + '$', labels.get(label, ''))
                                   for of, labels in series), (expression, label, value)
                        found += 1
    assert found > 10


def test_the_reference_lists_what_is_on_the_page(node):
    page = scrape(status_url(node))
    shown = set(family.name for family in page.families if family.name.startswith('oe_cluster_'))
    assert shown == set(re.sub('_total$', '', family.name) for family in table.SHOWN)
    for family in page.families:
        if family.name.startswith('oe_cluster_'):
            assert family.documentation and family.documentation != 'Multiprocess metric', family.name


def test_metrics_off_means_no_page_and_no_folder_stays(cluster):
    node = cluster(nodes=1, template='tpl_base', settings={'metrics': 'off', 'cron': 'never'}).nodes[0]
    with pytest.raises(urllib.error.HTTPError) as failure:
        urllib.request.urlopen(node.url + '/_cluster/metrics', timeout=10)
    assert failure.value.code == 404
    assert glob.glob(folders(node)[0] + '/*') == []
    node.stop()
    assert folders(node) == []


def test_a_folder_left_behind_by_a_killed_keeper_is_removed_by_the_next(cluster):
    node = cluster(nodes=1, template='tpl_base', settings={'cron': 'never'}).nodes[0]
    left, = folders(node)
    node.kill_all()
    assert os.path.isdir(left)
    node.start()
    now, = folders(node)
    assert now != left
    wait_until(lambda: scrape(node.url).sum('oe_cluster_masters_ready_total') == 1, 10, "its master is ready")
