# -*- coding: utf-8 -*-
"""The units, under a real systemd as process 1: two nodes of one machine, hardened as shipped.

The units are those that `oe-cluster-launch systemd` prints for the nodes' own files. Where root
may make no namespaces (some containers) there can be no second systemd, and these tests say so.
"""
import os
import signal
import threading

import pytest
from testbed import process_table, session
from testbed.clients import WebClient, XmlRpcClient
from testbed.machine import Machine, UnitNode, hindrance
from testbed.node import VERSION_CALL, write_secret_key
from testbed.postgres import database_name
from testbed.redis_server import RedisServer
from testbed.waiting import wait_until

from oe_cluster_launch import errors

#: systemd asks to be fed this often; a hung master is noticed by the keeper after SILENT_SECONDS
WATCHDOG_SECONDS = 6


@pytest.fixture(scope='module')
def machine(session_folder):
    reason = hindrance()
    if reason:
        pytest.skip("this kernel lets root make no namespaces, so no systemd as process 1: %s" % reason)
    made = Machine(session.fresh_folder('machine'))
    yield made.start()
    made.kill()


@pytest.fixture(scope='module')
def nodes(machine, postgres):
    """Nodes a and b as units; PostgreSQL is asked over its Unix socket."""
    database = postgres.create_database(database_name('test_systemd'), 'tpl_base')
    redis = RedisServer(session.fresh_folder('redis')).start()
    key = write_secret_key(os.path.join(machine.folder, 'secret.key'))
    made = [UnitNode(machine, name, postgres, redis.url, key, database=database)
            for name in 'ab']
    for node in made:
        node.redis, node.database = redis, database
        node.install('WatchdogSec=%d' % WATCHDOG_SECONDS)
    yield made
    for node in made:
        machine.run('systemctl', 'kill', '-s', 'KILL', node.unit)
    redis.kill_all()


@pytest.fixture
def serving(nodes):
    """Both nodes, started where a test before has left them otherwise."""
    for node in nodes:
        node.machine.run('systemctl', 'reset-failed', node.unit)
        node.start()
    return nodes


def keeper_and_master(node):
    """Pids as the tests see them."""
    keeper = node.main_pid()
    return keeper, [pid for pid in process_table.family(keeper)
                    if ' master ' in process_table.title(pid)][0]


def leader(node):
    """Who leads cron, as the nodes' Redis has it."""
    return node.redis.ask('GET', 'oe:lease:cron').split(' ')[-1]


def test_a_start_is_over_when_the_node_serves_and_not_before(nodes):
    node = nodes[0]
    node.start(wait=False)
    states = set()

    def started():
        states.add(node.state())
        return 'active' in states
    wait_until(started, 60, "the unit is active")
    assert node.is_ready()
    assert states - {'inactive'} == {'activating', 'active'}  # `start` has been queued, not waited for


def test_the_hardening_is_in_force_and_openerp_works_with_it(serving):
    node = serving[0]
    keeper, master = keeper_and_master(node)
    for pid in (keeper, master):
        with open('/proc/%d/status' % pid) as status:
            facts = dict(line.split(':\t', 1) for line in status.read().splitlines() if ':\t' in line)
        assert (facts['NoNewPrivs'], facts['Seccomp'], int(facts['CapBnd'], 16)) == ('1', '2', 0)
    client = XmlRpcClient(node.url, node.database)
    partner = client.call('res.partner', 'create', {'name': 'Hardened'})
    assert client.call('res.partner', 'read', [partner], ['name'])[0]['name'] == 'Hardened'
    assert client.db.dump('admin', node.database)  # by the program pg_dump
    web = WebClient(node.url, node.database)
    assert web.log_in() == client.uid and web.info()['uid'] == client.uid
    wait_until(lambda: node.status('/_cluster/ready')[0] == 200, 20, "it says so itself")
    assert 'not permitted' not in node.log() and 'Read-only' not in node.log()


def test_a_node_can_write_nowhere_but_where_the_unit_says(serving):
    node = serving[0]
    as_the_node = ['nsenter', '-t', node.machine.show(node.unit, 'MainPID'), '-m', 'sh', '-c']
    for folder, writable in (('/etc', False), ('/usr/lib', False), ('/var/lib', False),
                             ('/var/log/oe-cluster', True), ('/run/oe-cluster', True), ('/tmp', True)):
        code, printed = node.machine.run(*as_the_node + ['cd %s && touch .tried && rm .tried' % folder])
        assert (code == 0) == writable, (folder, printed)


def test_a_reload_keeps_the_pid_and_answers_all_the_while(serving):
    node = serving[0]
    keeper, master = keeper_and_master(node)
    node.machine.systemctl('reload', node.unit)
    answers = []

    def replaced():
        answers.append(node.is_ready())
        masters = [pid for pid in process_table.family(keeper) if ' master ' in process_table.title(pid)]
        return masters and master not in masters
    wait_until(replaced, 60, "a new master serves")
    assert all(answers) and node.main_pid() == keeper and node.state() == 'active'


def test_a_hung_master_is_killed_by_the_watchdog_and_the_node_serves_again(serving):
    node = serving[0]
    keeper, master = keeper_and_master(node)
    before = int(node.machine.show(node.unit, 'NRestarts'))
    os.kill(master, signal.SIGSTOP)
    wait_until(lambda: int(node.machine.show(node.unit, 'NRestarts')) > before, 90, "systemd restarts it")
    wait_until(lambda: node.state() == 'active', 60, "it serves again")
    assert node.is_ready()
    assert not process_table.entry(keeper) and not process_table.entry(master)
    assert 'Watchdog timeout' in node.machine.log()


def test_a_killed_unit_comes_back_by_itself(serving):
    node = serving[0]
    before = int(node.machine.show(node.unit, 'NRestarts'))
    node.machine.run('systemctl', 'kill', '-s', 'KILL', node.unit)
    wait_until(lambda: int(node.machine.show(node.unit, 'NRestarts')) > before, 60, "systemd restarts it")
    wait_until(lambda: node.state() == 'active', 60, "it serves again")


def test_cron_goes_to_the_other_node_when_its_unit_is_killed_or_stopped(serving):
    leading = wait_until(lambda: leader(serving[0]), 60, "somebody leads")
    first = [node for node in serving if node.name == leading][0]
    other = [node for node in serving if node is not first][0]
    first.machine.run('systemctl', 'kill', '-s', 'KILL', first.unit)
    # systemd would have it back before the lease of the killed one has expired, and it might win again
    first.machine.systemctl('stop', first.unit)
    wait_until(lambda: leader(first) == other.name, 60, "the other node leads after a crash")
    first.start()
    other.machine.systemctl('stop', other.unit)
    wait_until(lambda: leader(first) == first.name, 60, "the lead comes back with an orderly stop")


def test_a_stop_is_orderly_and_leaves_no_process(serving):
    node = serving[1]
    everybody = process_table.family(node.main_pid())
    node.machine.systemctl('stop', node.unit)
    assert (node.state(), node.machine.show(node.unit, 'Result')) == ('inactive', 'success')
    assert not [pid for pid in everybody if process_table.entry(pid)]
    assert 'kernel cannot close the port' not in node.log()


def test_a_wrong_configuration_is_not_tried_again(serving):
    node = serving[1]
    node.machine.systemctl('stop', node.unit)
    node.cluster['cron_priority'] = 'high'
    node.configure()
    try:
        assert node.machine.run('systemctl', 'start', node.unit)[0] != 0
        assert node.machine.show(node.unit, 'ActiveState') == 'failed'
        assert node.machine.show(node.unit, 'ExecMainStatus') == str(errors.EXIT_CONFIGURATION)
        assert node.machine.show(node.unit, 'NRestarts') == '0'
    finally:
        del node.cluster['cron_priority']
        node.configure()


def test_a_node_whose_redis_is_away_is_tried_until_it_comes(serving):
    node = serving[1]
    node.machine.systemctl('stop', node.unit)
    later = RedisServer(session.fresh_folder('later'))
    node.cluster['redis_url'], usual = later.url, node.cluster['redis_url']
    node.configure()
    try:
        node.start(wait=False)
        wait_until(lambda: int(node.machine.show(node.unit, 'NRestarts')) >= 1, 60, "it was tried again")
        later.start()
        wait_until(lambda: node.state() == 'active', 60, "it serves")
    finally:
        node.machine.systemctl('stop', node.unit)
        node.cluster['redis_url'] = usual
        node.configure()
        later.kill_all()


def test_openerp_also_runs_without_memory_that_is_written_and_executed(serving):
    node = serving[1]
    node.machine.systemctl('stop', node.unit)
    node.install('MemoryDenyWriteExecute=yes')
    node.start()
    assert WebClient(node.url, node.database).log_in()


def test_with_the_socket_unit_a_restart_refuses_nobody(serving):
    node = serving[1]
    node.machine.systemctl('stop', node.unit)
    socket_unit = node.unit + '.socket'
    node.machine.systemctl('start', socket_unit)
    try:
        assert node.machine.show(node.unit, 'ActiveState') == 'inactive'
        assert node.get('/xmlrpc/common', VERSION_CALL, timeout_seconds=60) == 200  # starts the node
        answers = []
        client = threading.Thread(target=lambda: [
            answers.append(node.get('/xmlrpc/common', VERSION_CALL, timeout_seconds=60)) for _ in range(40)])
        client.start()
        node.machine.systemctl('restart', node.unit)
        client.join()
        assert answers == [200] * 40
    finally:
        node.machine.systemctl('stop', socket_unit, node.unit)
