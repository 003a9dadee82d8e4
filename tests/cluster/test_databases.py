# -*- coding: utf-8 -*-
"""The database service through any node while all nodes are busy: faults 2, 18 and 19."""
import threading
import xmlrpc.client

import pytest
from testbed.clients import RemoteError, WebClient, XmlRpcClient
from testbed.waiting import wait_until

MASTER = 'admin'  # admin_passwd of the testbed's nodes


@pytest.fixture
def two_nodes(cluster):
    return cluster(nodes=2, template='tpl_base')


@pytest.fixture
def spare(postgres):
    """A function that tells a name for one more database, which is dropped after the test."""
    names = []

    def name(suffix):
        names.append('spare_%s' % suffix)
        postgres.drop_database(names[-1])
        return names[-1]
    yield name
    for each in names:
        if postgres.is_running():
            postgres.drop_database(each)


class Load:
    """Users of a database at every server, each asking as fast as it can, until told to stop.

    Of each server's users one reads, one writes, and one does so in the web client.
    """

    def __init__(self, servers, database):
        self.errors, self.written, self._stop = [], 0, threading.Event()
        self._threads, self._answers = [], []
        for server in servers:
            web = WebClient(server.url, database)
            web.log_in()
            client = XmlRpcClient(server.url, database)
            self._begin(client.call, 'res.users', 'search', [])
            self._begin(self._write, client)
            self._begin(web.call, 'res.users', 'search', [])

    @property
    def answers(self):
        return sum(self._answers)

    def wait_for_everyone(self):
        """Until each user has had an answer: none is in the same call any more."""
        before = list(self._answers)
        wait_until(lambda: all(now > then for now, then in zip(self._answers, before)),
                   30, "the load goes on")

    def _begin(self, *call):
        self._threads.append(threading.Thread(target=self._ask, args=(len(self._threads),) + call))
        self._answers.append(0)

    def _write(self, client):
        client.call('res.partner', 'create', {'name': 'Written under load'})
        self.written += 1

    def _ask(self, number, call, *arguments):
        while not self._stop.is_set():
            try:
                call(*arguments)
                self._answers[number] += 1
            except (xmlrpc.client.Fault, RemoteError) as error:
                self.errors.append(getattr(error, 'faultCode', error))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        wait_until(lambda: self.answers > 20, 30, "the load runs")
        return self

    def __exit__(self, *_exception):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def db_of(server):
    return XmlRpcClient(server.url, None, log_in=False).db


def asks(server, database, password='admin'):
    return 1 in XmlRpcClient(server.url, database, password=password).call('res.users', 'search', [])


def test_a_database_is_duplicated_while_both_nodes_are_busy_with_it(two_nodes, spare):
    copy = spare('copy')
    a, b = two_nodes.nodes
    with Load(two_nodes.nodes, two_nodes.database) as load:
        before = load.answers
        assert db_of(a).duplicate_database(MASTER, two_nodes.database, copy) is True
        wait_until(lambda: load.answers > before + 50, 30, "the load goes on")
    assert load.errors == []
    assert partners_written(b, two_nodes.database) == load.written  # none lost, none twice
    assert asks(a, copy) and asks(b, copy)


def partners_written(server, database):
    return XmlRpcClient(server.url, database).call('res.partner', 'search_count',
                                                   [('name', '=', 'Written under load')])


def test_requests_go_on_while_an_administrator_ends_connections_of_busy_nodes(two_nodes, postgres):
    """At any moment of a request, not only at its beginning as while a database is copied."""
    with Load(two_nodes.nodes, two_nodes.database) as load:
        for _ in range(40):
            postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'"
                           % two_nodes.database)
            load.wait_for_everyone()
    # what ends while its COMMIT is on its way is told so: neither silence nor a second time
    unknown = [error for error in load.errors if 'Look before' in str(error)]
    assert load.errors == unknown
    assert load.written <= partners_written(two_nodes.nodes[0], two_nodes.database) <= (
        load.written + len(unknown))
    assert ' lost its connection to PostgreSQL before it had committed anything' in ''.join(
        node.log() for node in two_nodes.nodes)


def test_a_database_is_renamed_while_both_nodes_are_busy_with_it(two_nodes, spare):
    new = spare('renamed')
    a, b = two_nodes.nodes
    web = WebClient(a.url, two_nodes.database)
    web.log_in()
    with Load(two_nodes.nodes, two_nodes.database):
        assert db_of(b).rename(MASTER, two_nodes.database, new) is True
    assert asks(a, new) and asks(b, new)
    for node in two_nodes.nodes:
        with pytest.raises(xmlrpc.client.Fault):
            asks(node, two_nodes.database)
    assert not web.info()['uid']


def test_a_database_is_dropped_while_both_nodes_are_busy_with_it(two_nodes, postgres):
    a = two_nodes.nodes[0]
    web = WebClient(two_nodes.nodes[1].url, two_nodes.database)
    web.log_in()
    user = XmlRpcClient(a.url, two_nodes.database)
    user.report.report(user.database, user.uid, user.password, 'no.such.report', [1], {})
    assert two_nodes.redis.ask('KEYS', 'oe:report:*')
    with Load(two_nodes.nodes, two_nodes.database):
        assert db_of(a).drop(MASTER, two_nodes.database) is True
    assert not two_nodes.redis.ask('KEYS', 'oe:report:*')
    assert not postgres.has_database(two_nodes.database)
    assert two_nodes.database not in db_of(two_nodes.nodes[1]).list()
    # the same users with the same passwords, and yet nobody is signed in there
    postgres.create_database(two_nodes.database, 'tpl_base')
    assert asks(two_nodes.nodes[0], two_nodes.database)
    assert not web.info()['uid']


def test_stock_tells_users_when_an_administrator_ends_connections(stock, postgres):
    """The contrast of test_requests_go_on..."""
    server = stock(template='tpl_base')
    with Load([server], server.database) as load:
        for _ in range(40):
            postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'"
                           % server.database)
            load.wait_for_everyone()
    assert load.errors and not [error for error in load.errors if 'Look before' in str(error)]


@pytest.mark.parametrize('act', ['rename', 'duplicate_database'])
def test_stock_fails_while_another_server_is_connected(stock, database, spare, act):
    """The contrast."""
    name = database('tpl_base')
    servers = [stock(database=name) for _ in range(2)]
    assert all(asks(server, name) for server in servers)
    with pytest.raises(xmlrpc.client.Fault, match='being accessed by other users'):
        getattr(db_of(servers[0]), act)(MASTER, name, spare('stock'))


def recreate(postgres, name, template=None):
    """Drop and create a database of that name in which the administrator lives elsewhere.

    Without `template` it is a copy of the old one: its signaling sequences have the same values.
    """
    if not template:
        postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'" % name)
        postgres.create_database(name + '_copy', name)
    postgres.drop_database(name)
    postgres.create_database(name, template or name + '_copy')
    postgres.drop_database(name + '_copy')
    postgres.query("UPDATE res_partner SET tz = 'Asia/Tokyo' WHERE id = "
                   "(SELECT partner_id FROM res_users WHERE id = 1)", name)


def time_zones(server, database, times=8):
    """What the workers of a server answer from the cache of context_get."""
    client = XmlRpcClient(server.url, database)
    return {client.call('res.users', 'context_get').get('tz') for _ in range(times)}


@pytest.mark.parametrize('template', [None, 'tpl_base'])
def test_a_database_created_under_an_old_name_is_not_served_from_the_old_ones_caches(
        two_nodes, postgres, template):
    before = [time_zones(node, two_nodes.database) for node in two_nodes.nodes]
    assert before[0] == before[1] and 'Asia/Tokyo' not in before[0]
    recreate(postgres, two_nodes.database, template)
    assert [time_zones(node, two_nodes.database) for node in two_nodes.nodes] == [{'Asia/Tokyo'}] * 2


def test_stock_serves_a_new_database_from_the_caches_of_the_old(stock, database, postgres):
    """The contrast: the sequences of both begin at the same number."""
    name = database('tpl_base')
    server = stock(database=name)
    before = time_zones(server, name)
    recreate(postgres, name)
    assert before & time_zones(server, name)


def test_the_creation_of_a_database_is_seen_through_the_other_node(two_nodes, spare, postgres):
    new = spare('created')
    a, b = (db_of(node) for node in two_nodes.nodes)
    seen = []

    def finished():
        seen.append(b.get_progress(MASTER, number))
        return seen[-1][0] == 1.0
    with Load(two_nodes.nodes, two_nodes.database) as load:
        number = a.create(MASTER, new, False, 'en_US', 'secret')
        wait_until(finished, 240, "the database is created", interval_seconds=0.5)
    assert load.errors == []
    assert seen[-1][1] == [{'login': 'admin', 'password': 'secret'}]
    progress = [step for step, _ in seen]
    assert progress == sorted(progress) and 0.0 in progress
    for node in two_nodes.nodes:
        assert asks(node, new, 'secret')


def test_a_creation_that_nobody_began_is_unknown(two_nodes):
    with pytest.raises(xmlrpc.client.Fault, match='No database is being created'):
        db_of(two_nodes.nodes[0]).get_progress(MASTER, 4711)


def test_the_death_of_the_node_that_creates_is_told_through_the_other(two_nodes, spare):
    a, b = two_nodes.nodes
    number = db_of(a).create(MASTER, spare('created'), False, 'en_US', 'secret')
    assert db_of(b).get_progress(MASTER, number)[0] < 1.0
    a.kill_all()

    def told():
        try:
            return db_of(b).get_progress(MASTER, number) is None
        except xmlrpc.client.Fault as error:
            return 'Node a ended while it created the database' in str(error)
    wait_until(told, 60, "the death is told", interval_seconds=0.5)


def test_stock_does_not_know_the_progress_of_another_servers_creation(stock, database, spare):
    """The contrast."""
    name = database('tpl_base')
    servers = [stock(database=name) for _ in range(2)]
    number = db_of(servers[0]).create(MASTER, spare('stock'), False, 'en_US', 'secret')
    with pytest.raises(xmlrpc.client.Fault, match='KeyError'):
        db_of(servers[1]).get_progress(MASTER, number)


def test_a_dump_of_one_node_is_restored_through_the_other(two_nodes, spare):
    a, b = two_nodes.nodes
    XmlRpcClient(a.url, two_nodes.database).call('res.partner', 'create', {'name': 'In the dump'})
    new = spare('restored')
    with Load(two_nodes.nodes, two_nodes.database) as load:
        dump = db_of(a).dump(MASTER, two_nodes.database)
        assert db_of(b).restore(MASTER, new, dump) is True
    assert load.errors == []
    for node in two_nodes.nodes:
        client = XmlRpcClient(node.url, new)
        assert client.call('res.partner', 'search', [('name', '=', 'In the dump')])


def test_the_admin_password_is_not_changed_on_one_node_alone(two_nodes):
    """Stock changes it in one worker and one node's file, and all others know the old one."""
    for node in two_nodes.nodes:
        with pytest.raises(xmlrpc.client.Fault) as caught:
            db_of(node).change_admin_password(MASTER, 'other')
        assert 'admin_passwd' in str(caught.value) and 'every node' in str(caught.value)
        with open(node.configuration_path) as written:
            assert 'admin_passwd = admin' in written.read()


def test_the_web_client_is_told_what_to_do_about_the_admin_password(two_nodes):
    page = WebClient(two_nodes.nodes[0].url, None)
    answer = change_admin_password_in(page, MASTER)
    assert 'admin_passwd' in answer['error'] and 'every node' in answer['error']
    assert change_admin_password_in(page, 'wrong')['error'] == 'AccessDenied'


def change_admin_password_in(page, old):
    return page.json('/web/database/change_password', fields=[
        {'name': 'old_pwd', 'value': old}, {'name': 'new_pwd', 'value': 'other'},
        {'name': 'confirm_pwd', 'value': 'other'}])


def test_stock_workers_disagree_about_a_changed_admin_password(stock, database):
    """The contrast: of two servers on one database one goes on with the old password."""
    name = database('tpl_base')
    servers = [stock(database=name, workers=1) for _ in range(2)]
    assert db_of(servers[0]).change_admin_password(MASTER, 'other') is True
    with pytest.raises(xmlrpc.client.Fault):
        db_of(servers[1]).dump('other', name)
    assert db_of(servers[1]).dump(MASTER, name)


@pytest.mark.parametrize('kind', ['ours', 'stock'])
def test_a_server_of_two_databases_rounds_prices_as_its_database_says(
        cluster, stock, database, postgres, kind):
    """Fault 21 is none of this OpenERP's: seen on both, so that another one would be noticed."""
    server = stock(workers=1) if kind == 'stock' else cluster(nodes=1, workers=1).nodes[0]
    two = server.options['db_name']
    four = database('tpl_full')
    postgres.query("UPDATE decimal_precision SET digits = 4 WHERE name = 'Product Price'", four)
    clients = [XmlRpcClient(server.url, name) for name in (two, four, two)]
    assert [price_kept(client) for client in clients] == [1.23, 1.2345, 1.23]


def price_kept(client):
    """What becomes of a price of four digits."""
    made = client.call('product.template', 'create', {'name': 'Precise', 'list_price': 1.2345})
    return client.call('product.template', 'read', [made], ['list_price'])[0]['list_price']
