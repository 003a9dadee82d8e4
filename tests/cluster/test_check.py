"""The doctor against a running cluster: nodes a and b run, node c is examined before it has ever run."""
import json
import os
import subprocess

import pytest
from testbed import account, paths, session
from testbed.clients import XmlRpcClient
from testbed.cluster import Cluster
from testbed.nginx import Nginx
from testbed.node import NodeProcess, write_secret_key
from testbed.ports import free_port
from testbed.redis_server import RedisServer
from testbed.waiting import wait_until

from oe_cluster_launch import shared_paths
from oe_cluster_launch.cluster.membership import Membership, members
from oe_cluster_launch.errors import EXIT_CONFIGURATION
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store

#: make test runs as root, or as a user with sudo
AS_ROOT = [] if os.getuid() == 0 else ['sudo', '-n']


class Bench:
    """The running cluster, and node files beside it."""

    def __init__(self, postgres):
        self.folder = session.fresh_folder('check')
        self.postgres = postgres
        self.database = postgres.create_database('check_db', 'tpl_base')
        self.redis = RedisServer(session.fresh_folder('check-redis'), persistent=True).start()
        self.shared = account.folder(os.path.join(self.folder, 'shared'))
        self.addons = account.folder(os.path.join(self.folder, 'addons'))
        self.options = {'addons_path': self.addons, 'db_maxconn': 8}
        self.cluster = Cluster(self.folder, postgres, self.redis, self.database, nodes=2,
                               settings={'shared_paths': self.shared, 'member_ttl': '60s'},
                               options=self.options)
        self.cluster.start()
        self.store = Store(load_settings().replace(redis_url=self.redis.url))
        wait_until(lambda: [member['node'] for member in members(self.store)] == ['a', 'b'], 20,
                   "a and b report")
        for node in self.cluster.nodes:
            os.chmod(node.configuration_path, 0o640)

    def candidate(self, options=None, redis=None, postgres=None, **cluster):
        """The file of a third node, never started."""
        folder = session.fresh_folder('candidate')
        node = NodeProcess('c', folder, postgres or self.postgres, (redis or self.redis).url,
                           self.cluster.secret_key_file, database=self.database, port=free_port(),
                           options=dict(self.options, **(options or {})),
                           cluster=dict({'shared_paths': self.shared}, **cluster))
        node.configure()
        os.chmod(node.configuration_path, 0o640)
        return node

    def close(self):
        self.cluster.kill_all()
        self.redis.kill_all()
        self.postgres.drop_database(self.database)


@pytest.fixture(scope='module')
def bench(postgres):
    made = Bench(postgres)
    yield made
    made.close()


class Answer:
    """What the doctor said: `answer['redis policy']` is the worst of that check's rows."""

    ORDER = ('ok', 'skip', 'warn', 'fail')

    def __init__(self, code, printed):
        self.code = code
        told = json.loads(printed[printed.index('{'):])
        assert told['exit_code'] == code
        self.rows = {}
        for row in told['checks']:
            title = '%(area)s %(check)s' % row
            before = self.rows.get(title, row)
            self.rows[title] = max(before, row, key=lambda one: self.ORDER.index(one['status']))
        for row in told['checks']:
            assert bool(row['remedy']) == (row['status'] in ('warn', 'fail')), row

    def __getitem__(self, title):
        return self.rows[title]['status']

    def found(self, title):
        return self.rows[title]['found']

    def not_ok(self):
        return {title: row['status'] for title, row in self.rows.items() if row['status'] != 'ok'}

    def beside_nginx(self):
        return {title: status for title, status in self.not_ok().items() if 'nginx' not in title}


def examine(node, *words, prefix=()):
    """The doctor's answer, asked as the account of the node."""
    code, printed = account.run(list(prefix) + [paths.python27('oe-cluster-launch'), 'check', '-f', 'json',
                                                '-c', node.configuration_path] + list(words), node.folder)
    return Answer(code, printed)


def what_the_servers_hold(bench):
    keys = sorted(bench.redis.ask('--scan').splitlines())
    files = sorted(os.path.join(parent, name) for parent, _, names in os.walk(bench.folder) for name in names
                   if not name.endswith(('.log', '.pyc')))
    tables = bench.postgres.query("SELECT count(*) FROM pg_class", bench.database)
    marks = bench.redis.ask('HGETALL', bench.store.keys.shared_path(bench.shared))
    return [key for key in keys if 'cache' not in key and 'lease' not in key], marks, tables, [
        path for path in files if 'nginx' not in path and 'oe-metrics-' not in path]


def test_a_running_node_is_well_and_nothing_is_changed_on_the_servers(bench):
    node = bench.cluster.node('a')
    before = what_the_servers_hold(bench)
    answer = examine(node, '--nginx', bench.cluster.url, '--strict')
    assert answer.not_ok() == {}
    assert answer.code == 0
    assert what_the_servers_hold(bench) == before
    assert 'held by this node' in answer.found('configuration port')
    assert 'the running node' in answer.found('machine nofile')
    assert 'nodes: 2, processes: 7' in answer.found('postgresql connections')
    assert answer.found('clock other nodes') == 'right on b'
    assert answer.found('files shared folders').endswith('the same folder as on b')


def test_a_node_that_has_never_run_is_well_too(bench):
    answer = examine(bench.candidate())
    assert answer.not_ok() == {'nginx reached': 'skip', 'nginx proxy_mode': 'skip'}
    assert 'is free' in answer.found('configuration port')
    assert 'this shell' in answer.found('machine nofile')
    assert answer.found('nodes addons').endswith('as on a, b')


def test_the_first_node_of_a_cluster_is_examined_before_anything_is_there(bench, redis_server, database):
    node = bench.candidate(redis=redis_server, options={'db_name': database('template0')},
                           secret_key_file=os.path.join(session.fresh_folder('no-key'), 'secret.key'))
    answer = examine(node)
    assert set(answer.not_ok()) == {'redis persistence', 'nginx reached', 'nginx proxy_mode'}
    assert 'the first node makes it' in answer.found('key file')
    assert redis_server.ask('DBSIZE') == '0'


def test_root_becomes_the_user_of_the_node(bench):
    node = bench.candidate(user=account.current().pw_name)
    process = subprocess.run(AS_ROOT + [paths.python27('oe-cluster-launch'), 'check', '-f', 'json',
                                        '-c', node.configuration_path], stdout=subprocess.PIPE, cwd='/')
    answer = Answer(process.returncode, process.stdout.decode())
    assert answer.not_ok() == {'nginx reached': 'skip', 'nginx proxy_mode': 'skip'}
    assert answer.found('configuration account') == 'runs as %s' % account.current().pw_name


def test_root_without_a_user_is_a_failure_and_the_rest_is_examined(bench):
    process = subprocess.run(AS_ROOT + [paths.python27('oe-cluster-launch'), 'check', '-f', 'json', '-c',
                                        bench.candidate().configuration_path],
                             stdout=subprocess.PIPE, cwd='/')
    answer = Answer(process.returncode, process.stdout.decode())
    assert answer['configuration account'] == 'fail'
    assert answer['files shared folders'] == 'skip'  # root would leave a file the node cannot replace
    assert answer['redis rights'] == 'ok'


def test_many_faults_are_all_found_at_once(bench, postgres, database):
    other_key = write_secret_key(os.path.join(session.fresh_folder('other-key'), 'secret.key'))
    other_addons = account.folder(os.path.join(session.fresh_folder('other-addons'), 'addons'))
    with open(os.path.join(other_addons, 'extra.py'), 'w') as target:
        target.write('# unlike the others\n')
    second = database('tpl_base')
    postgres.query("INSERT INTO ir_config_parameter (key, value) "
                   "VALUES ('ir_attachment.location', 'file:///filestore')", second)
    node = bench.candidate(
        options={'addons_path': other_addons, 'db_name': second, 'workers': 90, 'proxy_mode': False,
                 'xmlrpc_port': postgres.port, 'xmlrpc_interface': '127.0.0.1'},
        secret_key_file=other_key, backlog='65535', shared_paths=bench.shared + ',' + other_addons + '/none')
    os.chmod(node.configuration_path, 0o644)
    nowhere = Nginx(session.fresh_folder('nowhere'), [1]).start()
    try:
        answer = examine(node, '--nginx', nowhere.url, '--nodes', '3',
                         prefix=['prlimit', '--nofile=512', '--'])
    finally:
        nowhere.kill_all()
    with open('/proc/sys/net/core/somaxconn') as source:
        backlog = 'warn' if int(source.read()) < 65535 else 'ok'
    expected = {
        'configuration passwords': 'warn', 'configuration port': 'fail', 'postgresql connections': 'fail',
        'key other nodes': 'fail', 'files shared folders': 'fail', 'files attachments': 'warn',
        'nodes addons': 'warn', 'nodes databases': 'warn', 'machine nofile': 'warn',
        'machine backlog': backlog, 'nginx reached': 'fail', 'nginx proxy_mode': 'warn'}
    assert answer.not_ok() == {title: status for title, status in expected.items() if status != 'ok'}
    assert answer.code == 1
    assert 'nodes: 3' in answer.found('postgresql connections')
    assert '502' in answer.found('nginx reached')


def test_warnings_alone_are_exit_code_0_and_with_strict_1(bench):
    node = bench.candidate(options={'workers': 30})  # the peak is above 200 - 3 connections, the rest below
    answer = examine(node, '--nodes', '4')
    assert (answer['postgresql connections'], answer.code) == ('warn', 0)
    assert examine(node, '--nodes', '4', '--strict').code == 1


def test_limits_that_are_far_too_low(bench):
    answer = examine(bench.candidate(options={'workers': 3000}),
                     prefix=['prlimit', '--nofile=200', '--nproc=2000', '--'])
    assert answer['machine nofile'] == 'fail'
    assert answer['machine nproc'] == 'fail'


def test_settings_that_are_wrong_leave_out_what_needs_them(bench):
    answer = examine(bench.candidate(cron_lease_ttl='3s', redis_timeout='never', nonsense='1'))
    assert answer['configuration settings'] == 'fail'
    assert answer['redis server'] == answer['configuration cron times'] == 'skip'
    assert answer['postgresql rights'] == 'ok'
    assert examine(bench.candidate(cron_lease_ttl='3s'))['configuration cron times'] == 'fail'


def test_options_that_openerp_refuses_leave_out_what_needs_them(bench):
    answer = examine(bench.candidate(options={'addons_path': '/nowhere', 'workers': -1}))
    assert answer['configuration options'] == 'fail'
    assert answer['postgresql server'] == 'skip'
    assert answer['redis rights'] == 'ok'


# -------------------------------------------------------------------- PostgreSQL

def test_another_postgresql_and_a_database_that_is_missing(bench, empty_postgres):
    answer = examine(bench.candidate(postgres=empty_postgres))
    assert answer['postgresql server'] == 'ok'
    assert answer['postgresql databases'] == 'fail'
    assert answer['nodes postgresql'] == 'ok'  # its identity is that of a database it cannot open
    empty_postgres.create_database(bench.database)
    try:
        answer = examine(bench.candidate(postgres=empty_postgres))
        assert (answer['postgresql databases'], answer['nodes postgresql']) == ('ok', 'fail')
        lenient = bench.candidate(postgres=empty_postgres, join_mismatch='warn')
        assert examine(lenient)['nodes postgresql'] == 'warn'
    finally:
        empty_postgres.drop_database(bench.database)


@pytest.mark.parametrize('attributes, expected', [
    ('SUPERUSER', {'postgresql role': 'warn'}),
    ('NOCREATEDB', {'postgresql role': 'warn', 'postgresql rights': 'fail', 'files attachments': 'fail'}),
    ('CREATEDB CONNECTION LIMIT 6', {'postgresql connections': 'fail', 'postgresql rights': 'fail',
                                     'files attachments': 'fail'})])
def test_what_the_user_may_do(bench, postgres, attributes, expected):
    postgres.query("CREATE ROLE poor LOGIN %s" % attributes)
    try:
        answer = examine(bench.candidate(options={'db_user': 'poor'}))
        assert answer.beside_nginx() == expected
    finally:
        postgres.query("DROP ROLE poor")


def test_tables_of_somebody_else_are_counted(bench, postgres, database):
    name = database('tpl_base')
    postgres.query("ALTER TABLE res_partner OWNER TO postgres", name)
    answer = examine(bench.candidate(options={'db_name': name}))
    assert answer['postgresql rights'] == 'fail'
    assert 'tables or sequences belong to postgres' in answer.found('postgresql rights')


def test_a_server_that_takes_no_writes(bench, postgres):
    postgres.query("CREATE ROLE reader LOGIN CREATEDB IN ROLE openerp")
    postgres.query("ALTER ROLE reader SET default_transaction_read_only = on")
    try:
        assert examine(bench.candidate(options={'db_user': 'reader'}))['postgresql writable'] == 'fail'
    finally:
        postgres.query("DROP ROLE reader")


def test_a_postgresql_that_is_not_there_or_frozen_is_bounded_and_stops_nothing_else(bench, empty_postgres):
    gone = examine(bench.candidate(options={'db_host': '127.0.0.1', 'db_port': 1}))
    empty_postgres.pause()
    try:
        frozen = examine(bench.candidate(postgres=empty_postgres))
    finally:
        empty_postgres.resume()
    for answer in (gone, frozen):
        assert answer['postgresql server'] == answer['postgresql databases'] == 'fail'
        assert answer['postgresql connections'] == 'skip'
        assert answer['redis rights'] == answer['machine kernel'] == 'ok'


# -------------------------------------------------------------------- Redis and the other nodes

def test_a_redis_that_is_not_there_or_frozen_is_bounded_and_stops_nothing_else(bench, redis_server):
    node = bench.candidate(redis=redis_server)
    redis_server.pause()
    frozen = examine(node)
    redis_server.resume()
    redis_server.kill_all()
    gone = examine(node)
    for answer in (gone, frozen):
        assert answer['redis server'] == 'fail'
        assert answer['redis rights'] == answer['nodes name'] == 'skip'
        assert answer['postgresql connections'] == answer['machine nofile'] == 'ok'


def record(settings, name, **profile):
    machine = profile.pop('machine', None)
    member = Membership(Store(settings), settings, name, 'token', profile)
    if machine:
        member._record['machine'] = machine
    member.report(role='candidate', state='running', reason='')


def test_nodes_that_differ_are_named(bench, redis_server):
    settings = load_settings().replace(redis_url=redis_server.url)
    record(settings.replace(member_ttl=0.05), 'away')
    record(settings, 'c', machine='elsewhere')
    record(settings, 'd', host_version='7.0-20991231', version='99.0', databases=['other'],
           addons='deadbeef')
    answer = examine(bench.candidate(redis=redis_server))
    expected = {'nodes alive': 'warn', 'nodes name': 'fail', 'nodes openerp': 'fail',
                'nodes launcher': 'warn', 'nodes databases': 'warn', 'nodes addons': 'warn',
                'redis persistence': 'warn'}
    assert answer.beside_nginx() == expected
    for title, word in (('nodes alive', 'away'), ('nodes name', 'elsewhere'),
                        ('nodes openerp', '7.0-20991231'), ('nodes launcher', '99.0'),
                        ('nodes databases', 'other'), ('nodes addons', 'deadbeef')):
        assert word in answer.found(title)
    lenient = bench.candidate(redis=redis_server, join_mismatch='warn', redis_faults='refuse')
    answer = examine(lenient)
    assert (answer['nodes openerp'], answer['redis persistence']) == ('warn', 'fail')


def test_a_folder_that_is_not_the_others_and_attachments_that_are_refused(bench, postgres, database):
    name = database('tpl_base')
    postgres.query("INSERT INTO ir_config_parameter (key, value) "
                   "VALUES ('ir_attachment.location', 'file:///filestore')", name)
    mount = session.fresh_folder('mount')
    shared_paths.verify(bench.store, [mount], 'elsewhere')
    os.unlink(os.path.join(mount, shared_paths.PROBES, 'elsewhere'))
    answer = examine(bench.candidate(options={'db_name': name}, shared_paths=mount,
                                     local_attachments='refuse'))
    assert (answer['files shared folders'], answer['files attachments']) == ('fail', 'fail')
    assert 'elsewhere' in answer.found('files shared folders')


def test_a_running_node_whose_addons_have_changed_on_disk_awaits_a_reload(bench):
    path = os.path.join(bench.addons, 'changed.py')
    with open(path, 'w') as target:
        target.write('# a new addon\n')
    try:
        answer = examine(bench.cluster.node('a'))
        assert answer['nodes addons'] == 'warn'
        assert 'on its disk' in answer.found('nodes addons')
    finally:
        os.unlink(path)


def test_an_nginx_that_leads_elsewhere(bench):
    node = bench.candidate()
    answer = examine(node, '--nginx', 'http://127.0.0.1:1')
    assert (answer['nginx reached'], 'cannot be reached' in answer.found('nginx reached')) == ('fail', True)
    answer = examine(node, '--nginx', bench.cluster.url + '/no/such/place')
    assert (answer['nginx reached'], 'not as OpenERP' in answer.found('nginx reached')) == ('fail', True)


# -------------------------------------------------------------------- --check

def may_start(node):
    return account.run([paths.python27('oe-cluster-launch'), '--check', '-c', node.configuration_path],
                       node.folder)


def test_check_as_an_option_of_the_start_tells_what_would_stop_it_and_that_alone(bench):
    code, printed = may_start(bench.cluster.node('a'))
    assert code == 0, printed
    other_key = write_secret_key(os.path.join(session.fresh_folder('other-key'), 'secret.key'))
    node = bench.candidate(options={'workers': 3000}, secret_key_file=other_key)
    code, printed = may_start(node)
    assert code == EXIT_CONFIGURATION
    assert printed.splitlines()[0].endswith('1 configuration fault in %s:' % node.configuration_path)
    assert 'secret_key_file = %s' % other_key in printed


def test_the_cluster_is_as_it_was(bench):
    """Last: all that was asked has cost the running nodes nothing."""
    assert XmlRpcClient(bench.cluster.url, bench.database).call('res.users', 'search', [])
    assert examine(bench.cluster.node('b')).not_ok() == {'nginx reached': 'skip', 'nginx proxy_mode': 'skip'}
