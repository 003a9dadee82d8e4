# -*- coding: utf-8 -*-
"""Several nodes that install, update or first load a database at once: faults 11 to 15."""
import os
import signal
import subprocess
import threading
import xmlrpc.client

import pytest
from testbed import account, session
from testbed.clients import XmlRpcClient
from testbed.node import server_command
from testbed.postgres import binary
from testbed.waiting import wait_until

UPDATING = 'updates: updating database'
SPARED = 'another node has just done this update'
INSTALLING = 'module note: creating or updating database table'
WAITING = 'waiting for another process'


#: counts how often an update of an addon was begun; a sequence counts also what is rolled back
COUNT_UPDATES = '''
CREATE SEQUENCE begun MINVALUE 0;
GRANT ALL ON SEQUENCE begun TO PUBLIC;
CREATE FUNCTION count_updates() RETURNS trigger AS $$ BEGIN PERFORM nextval('begun'); RETURN NULL; END $$
    LANGUAGE plpgsql;
CREATE TRIGGER count_updates AFTER UPDATE ON ir_module_module FOR EACH ROW
    WHEN (NEW.name = 'auth_openid' AND NEW.state = 'to upgrade' AND OLD.state = 'installed')
    EXECUTE FUNCTION count_updates();
SELECT nextval('begun');
'''


def states(postgres, database, module):
    return postgres.query("SELECT state FROM ir_module_module WHERE name = '%s'" % module, database)


def all_at_once(*calls):
    """Run the calls in threads that start together; their answers or exceptions, in order."""
    answers, ready = [None] * len(calls), threading.Barrier(len(calls))

    def run(number, call):
        ready.wait()
        try:
            answers[number] = call()
        except Exception as error:
            answers[number] = error
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class Holder:
    """A psql that holds the update lock of a database, as a node does that updates."""

    def __init__(self, postgres, database):
        self.postgres, self.database = postgres, database
        self.process = subprocess.Popen(
            [binary('psql'), postgres.dsn(database), '-c', 'SELECT pg_advisory_lock(7069001)',
             '-c', 'SELECT pg_sleep(300)'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"),
                   10, "psql holds the lock")

    def query(self, sql):
        return self.postgres.query(sql, self.database)

    def lose_connection(self):
        self.query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        self.process.wait()


@pytest.fixture
def holder_of(postgres):
    holders = []

    def hold(database):
        holders.append(Holder(postgres, database))
        return holders[-1]
    yield hold
    for holder in holders:
        holder.process.kill()
        holder.process.wait()


def test_nodes_started_with_the_same_i_install_once_and_then_all_serve(cluster, postgres):
    nodes = cluster(nodes=2, template='tpl_base', arguments=['-i', 'note'])
    logs = [node.log() for node in nodes.nodes]
    assert sorted(log.count(UPDATING) for log in logs) == [0, 1]
    assert sorted(log.count(SPARED) for log in logs) == [0, 1]
    assert states(postgres, nodes.database, 'note') == [['installed']]
    for node in nodes.nodes:
        assert XmlRpcClient(node.url, nodes.database).call('note.note', 'search', []) is not None


def test_nodes_started_with_the_same_u_update_once_and_then_all_serve(cluster, postgres, holder_of):
    nodes = cluster(nodes=3, workers=1, template='tpl_base', arguments=['-u', 'auth_openid'], wait=False)
    postgres.query(COUNT_UPDATES, nodes.database)
    holder = holder_of(nodes.database)
    for node in nodes.nodes:
        node.start(wait=False)
    for node in nodes.nodes:
        wait_until(lambda: WAITING in node.log(), 60, "it waits")  # noqa: B023 - called at once
    holder.lose_connection()
    for node in nodes.nodes:
        node.wait_until_serving(120)
    assert postgres.query("SELECT last_value FROM begun", nodes.database) == [['1']]
    assert states(postgres, nodes.database, 'auth_openid') == [['installed']]
    for node in nodes.nodes:
        assert XmlRpcClient(node.url, nodes.database).call('res.users', 'search', [])


def test_stock_servers_started_with_the_same_i_get_into_each_others_way(postgres, database):
    """The contrast: at least one of two ends with an error in its log."""
    name, folder = database('tpl_base'), session.fresh_folder('stock-i')
    command = server_command() + ['-d', name, '-i', 'note', '--stop-after-init', '--db_host', postgres.host,
                                  '--db_port', str(postgres.port), '--db_user', postgres.role,
                                  '--no-xmlrpc', '--no-netrpc', '--max-cron-threads=0']
    printed = all_at_once(*[lambda: account.run(command, folder)[1]] * 3)
    assert any('ERROR' in log or 'could not serialize' in log or 'deadlock' in log for log in printed)


def test_nodes_that_first_load_an_empty_database_create_it_once(cluster, postgres):
    nodes = cluster(nodes=2, template='template0', options={'without_demo': 'all'})
    assert sum(node.log().count('init db') for node in nodes.nodes) == 1
    assert not any(' ERROR ' in node.log() for node in nodes.nodes)
    for node in nodes.nodes:
        assert XmlRpcClient(node.url, nodes.database).uid == 1


def test_a_node_that_starts_during_an_update_waits_for_its_end(cluster, holder_of):
    late = cluster(nodes=1, template='tpl_base', wait=False)
    holder = holder_of(late.database)
    node = late.nodes[0]
    node.start(wait=False)
    wait_until(lambda: WAITING in node.log(), 30, "the node waits")
    assert not node.is_ready()
    holder.lose_connection()
    node.wait_until_serving()


def test_a_worker_that_must_load_during_an_update_waits_for_its_end(cluster, holder_of, postgres):
    running = cluster(nodes=1, template='tpl_base')
    client = XmlRpcClient(running.nodes[0].url, running.database)
    holder = holder_of(running.database)
    postgres.query("SELECT nextval('base_registry_signaling')", running.database)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(client.call('res.users', 'search', [])))
    thread.start()
    wait_until(lambda: WAITING in running.nodes[0].log(), 30, "a worker waits")
    assert not answers
    holder.lose_connection()
    thread.join(30)
    assert answers and 1 in answers[0]


def test_a_worker_spawned_during_an_update_waits_for_its_end(cluster, holder_of):
    running = cluster(nodes=1, template='tpl_base', settings={'preload': 'off'},
                      options={'max_cron_threads': 0})
    node = running.nodes[0]
    workers = [pid for pid, title in node.titles().items() if 'http worker' in title]
    holder = holder_of(running.database)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: node.is_ready() and not set(workers) & set(node.titles()), 30, "new workers serve")
    client = XmlRpcClient(node.url, running.database, log_in=False)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(
        client.common.login(running.database, 'admin', 'admin')))
    thread.start()
    wait_until(lambda: WAITING in node.log(), 30, "the new worker waits")
    assert not answers
    holder.lose_connection()
    thread.join(30)
    assert answers == [1]


def test_the_node_that_updates_dies_and_the_one_that_waits_does_the_work(cluster, postgres):
    both = cluster(nodes=2, template='tpl_base', arguments=['-i', 'hr'], wait=False)
    a, b = both.nodes
    a.start(wait=False)
    wait_until(lambda: UPDATING in a.log(), 30, "node a updates")
    b.start(wait=False)
    wait_until(lambda: WAITING in b.log(), 30, "node b waits")
    a.kill_all()
    b.wait_until_serving(120)
    assert UPDATING in b.log()
    assert states(postgres, both.database, 'hr') == [['installed']]


def install_from_the_web(server, database, module='note'):
    """What the web client's button does; returns a function, for all_at_once."""
    client = XmlRpcClient(server.url, database)
    ids = client.call('ir.module.module', 'search', [('name', '=', module)])
    return lambda: client.call('ir.module.module', 'button_immediate_install', ids)


def test_an_addon_installed_through_two_nodes_at_once_is_installed_once(cluster, postgres):
    nodes = cluster(nodes=2, template='tpl_base')
    answers = all_at_once(*[install_from_the_web(node, nodes.database) for node in nodes.nodes])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert states(postgres, nodes.database, 'note') == [['installed']]
    assert sum(node.log().count(INSTALLING) > 0 for node in nodes.nodes) == 1
    for node in nodes.nodes:
        client = XmlRpcClient(node.url, nodes.database)
        for _ in range(4):
            assert client.call('note.note', 'search', []) is not None


def test_an_addon_installed_through_two_stock_servers_at_once_fails(stock, database):
    """The contrast."""
    name = database('tpl_base')
    servers = [stock(database=name) for _ in range(2)]
    answers = all_at_once(*[install_from_the_web(server, name) for server in servers])
    assert [answer for answer in answers if isinstance(answer, xmlrpc.client.Fault)]


def test_an_addon_installed_from_the_web_leads_to_a_rolling_reload_of_every_node(cluster):
    """Controllers and static files of the new addon are read once per process: fault 14."""
    nodes = cluster(nodes=2, template='tpl_base', settings={'refresh_interval': '1s'})
    before = [set(node.children()) for node in nodes.nodes]
    install_from_the_web(nodes.node('a'), nodes.database)()
    wait_until(lambda: not any(set(node.children()) & pids for node, pids in zip(nodes.nodes, before)),
               90, "every process was replaced")
    for node in nodes.nodes:
        assert XmlRpcClient(node.url, nodes.database).call('note.note', 'search', []) is not None
