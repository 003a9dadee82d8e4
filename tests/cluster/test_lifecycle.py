# -*- coding: utf-8 -*-
"""Start, reload, signals and end of one node, as its operator and systemd see them."""
import http.client
import os
import signal
import socket
import time

import pytest
from testbed import account, process_table, running, session, slow
from testbed.addon import ProbeAddon
from testbed.clients import XmlRpcClient
from testbed.node import VERSION_CALL
from testbed.ports import free_port
from testbed.waiting import wait_until

EXIT_SOFTWARE = 70


@pytest.fixture
def node_of(cluster):
    """A function that starts one node on a database with base and web."""
    def start(**more):
        return cluster(nodes=1, template='tpl_base', **more).nodes[0]
    return start


def client_of(node):
    return XmlRpcClient(node.url, node.options['db_name'])


def pids(node, role):
    """The pids of a node's processes of one role."""
    return sorted(pid for pid, title in node.titles().items() if ': %s %s [' % (node.name, role) in title)


def ask(node, path):
    """(status, body) of a GET; (0, '') when nobody answers."""
    connection = http.client.HTTPConnection('127.0.0.1', node.port, timeout=5)
    try:
        connection.request('GET', path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException):
        return 0, ''
    finally:
        connection.close()


def reload_node(node, timeout_seconds=30):
    """HUP, and wait until a new master serves and the old one has left; its pid."""
    before = pids(node, 'master')
    node.hang_up()
    wait_until(lambda: pids(node, 'master') and not set(pids(node, 'master')) & set(before)
               and len(pids(node, 'http worker')) == int(node.options['workers']),
               timeout_seconds, "the old master left")
    return pids(node, 'master')[0]


def test_a_reload_re_reads_code_and_configuration_and_keeps_the_pid(node_of):
    addon = ProbeAddon(session.fresh_folder('addons')).write('one')
    pidfile = os.path.join(account.folder(session.fresh_folder('pid')), 'node.pid')
    node = node_of(options={'addons_path': addon.addons_path(), 'pidfile': pidfile})
    assert ask(node, '/probe/version') == (200, 'one')
    keeper, master = node.pid, pids(node, 'master')
    addon.write('two')
    node.options['workers'] = 3
    node.configure()
    assert ask(node, '/probe/version') == (200, 'one')
    assert reload_node(node) not in master
    assert ask(node, '/probe/version') == (200, 'two')
    assert len(pids(node, 'http worker')) == 3
    assert pids(node, 'keeper') == [keeper]
    with open(pidfile) as stream:
        assert int(stream.read()) == keeper
    node.stop()
    assert not os.path.exists(pidfile)


def test_a_reload_that_cannot_boot_changes_nothing_and_says_why(node_of):
    node = node_of()
    before = pids(node, 'master'), pids(node, 'http worker')
    node.cluster['drain_seconds'] = 'soon'
    node.configure()
    node.hang_up()
    wait_until(lambda: 'the reload failed' in node.log(), 20, "the reload failed")
    assert 'drain_seconds = soon: accepted is a duration' in node.log()
    assert (pids(node, 'master'), pids(node, 'http worker')) == before
    assert client_of(node).uid == 1
    del node.cluster['drain_seconds']
    node.configure()
    assert [reload_node(node)] != before[0]


def test_a_second_reload_while_one_goes_on_is_not_lost(node_of):
    addon = ProbeAddon(session.fresh_folder('addons')).write('one')
    node = node_of(options={'addons_path': addon.addons_path()})
    addon.write('two')
    node.hang_up()
    wait_until(lambda: len(pids(node, 'master')) == 2, 10, "the new master boots")
    # it has read the code or not: nobody can tell, so the second reload must count
    time.sleep(1.0)
    addon.write('three')
    node.hang_up()
    wait_until(lambda: ask(node, '/probe/version') == (200, 'three'), 30, "the newest code serves")


def test_a_new_version_of_the_launcher_itself_takes_over_at_usr2(node_of):
    node = node_of()
    keeper, master = node.pid, pids(node, 'master')
    started = process_table.started(keeper)
    node.signal(signal.SIGUSR2)
    wait_until(lambda: pids(node, 'master') and not set(pids(node, 'master')) & set(master), 30,
               "a new master serves")
    assert process_table.started(keeper) == started and pids(node, 'keeper') == [keeper]
    assert client_of(node).uid == 1
    assert node.stop() == 0


def test_five_signals_at_once_are_all_obeyed(node_of):
    node = node_of()
    master = pids(node, 'master')
    for number in (signal.SIGTTIN, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        node.signal(number)
    wait_until(lambda: 'one HTTP worker more: 3' in node.log(), 10, "TTIN was obeyed")
    wait_until(lambda: 'stack dump of master' in node.log(), 10, "QUIT was obeyed")
    wait_until(lambda: 'SIGUSR1: nothing to do' in node.log(), 10, "USR1 was obeyed")
    wait_until(lambda: 'a new version of the launcher asked for' in node.log(), 10, "USR2 was obeyed")
    wait_until(lambda: pids(node, 'master') and not set(pids(node, 'master')) & set(master), 30,
               "HUP was obeyed")


def test_workers_are_added_and_taken_away_by_signals(node_of):
    node = node_of()
    node.signal(signal.SIGTTIN)
    wait_until(lambda: len(pids(node, 'http worker')) == 3, 10, "one more")
    node.signal(signal.SIGTTOU)
    wait_until(lambda: len(pids(node, 'http worker')) == 2, 10, "one less")


@pytest.mark.parametrize('role', ['keeper', 'master'])
def test_a_killed_process_leaves_no_orphan(node_of, role):
    node = node_of()
    orphans = [pid for pid in node.titles() if pid != node.pid]
    assert len(orphans) >= 3
    victim = pids(node, role)
    running.send(victim, signal.SIGKILL)
    wait_until(lambda: not any(process_table.entry(pid) for pid in orphans), 2, "all of them ended")
    if role == 'master':  # the keeper replaces it, and the port was never closed
        wait_until(lambda: ask(node, '/_cluster/ready')[0] == 200, 30, "a new master serves")


def test_a_node_whose_workers_cannot_boot_ends_with_the_documented_code(cluster):
    addon = ProbeAddon(session.fresh_folder('addons')).write('one', """
import oe_cluster_launch.supervisor.http_worker as http_worker
http_worker.HttpWorker.init_signals = lambda self: 1 / 0
""")
    made = cluster(nodes=1, template='tpl_base', wait=False,
                   options={'addons_path': addon.addons_path()})
    node = made.nodes[0].start(wait=False)
    wait_until(lambda: not node.is_running(), 60, "the node gave up")
    assert node.exit_code() == EXIT_SOFTWARE
    assert 'ZeroDivisionError' in node.log()
    assert '5 workers in a row ended before they were ready' in node.log()
    assert node.children() == []


def test_workers_that_die_at_boot_after_a_reload_do_not_harm_the_node(node_of):
    addon = ProbeAddon(session.fresh_folder('addons')).write('one')
    node = node_of(options={'addons_path': addon.addons_path()})
    master = pids(node, 'master')
    addon.write('two', "import oe_cluster_launch.supervisor.http_worker as http_worker\n"
                       "http_worker.HttpWorker.init_signals = lambda self: 1 / 0\n")
    node.hang_up()
    wait_until(lambda: 'the reload failed' in node.log(), 40, "the new master gave up")
    assert pids(node, 'master') == master
    assert ask(node, '/probe/version') == (200, 'one')


def test_a_chosen_worker_dumps_its_stacks_while_it_waits_for_postgres(node_of):
    node = node_of()
    call = slow.Action(client_of(node), slow.SLEEP_IN_POSTGRES, 5).start()
    busy = wait_until(lambda: [pid for pid, title in node.titles().items() if 's of POST' in title],
                      10, "the title tells what takes long")
    assert len(busy) == 1
    os.kill(busy[0], signal.SIGQUIT)
    wait_until(lambda: 'stack dump of worker %d' % busy[0] in node.log(), 2, "it dumped")
    dump = node.log()[node.log().index('stack dump of worker'):]
    assert 'ir.actions.server.run' in dump.splitlines()[0]
    assert 'sql_db.py' in dump and 'thread watchdog' in dump
    assert call.result() == {'done': True}


def test_systemd_hears_ready_status_watchdog_and_stopping(cluster):
    path = os.path.join(session.fresh_folder('notify'), 'socket')
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(path)
    os.chmod(path, 0o777)
    receiver.settimeout(0.2)
    heard = []

    def hear(word):
        try:
            while True:
                heard.extend(receiver.recv(4096).decode().split('\n'))
        except socket.timeout:
            return any(line.startswith(word) for line in heard)
    node = cluster(nodes=1, template='tpl_base',
                   environment={'NOTIFY_SOCKET': path, 'WATCHDOG_USEC': '1000000'}).nodes[0]
    wait_until(lambda: hear('READY=1') and hear('STATUS=starting'), 10, "systemd is told")
    wait_until(lambda: hear('STATUS=ready, 2 of 2 HTTP workers'), 10, "the status")
    wait_until(lambda: hear('WATCHDOG=1') and heard.count('WATCHDOG=1') >= 3, 10, "the watchdog is fed")
    assert 'STOPPING=1' not in heard
    node.stop()
    assert hear('STOPPING=1') and heard.index('READY=1') < heard.index('STOPPING=1')


def test_the_watchdog_of_systemd_starves_when_the_master_hangs(cluster):
    path = os.path.join(session.fresh_folder('notify'), 'socket')
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(path)
    os.chmod(path, 0o777)
    receiver.setblocking(False)
    node = cluster(nodes=1, template='tpl_base',
                   environment={'NOTIFY_SOCKET': path, 'WATCHDOG_USEC': '1000000'}).nodes[0]
    running.send(pids(node, 'master'), signal.SIGSTOP)

    def silent():
        quiet_since = getattr(silent, 'since', time.time())
        try:
            while True:
                if b'WATCHDOG' in receiver.recv(4096):
                    quiet_since = time.time()
        except BlockingIOError:
            silent.since = quiet_since
            return time.time() - quiet_since > 3
    wait_until(silent, 30, "no more WATCHDOG=1")
    running.send(pids(node, 'master'), signal.SIGCONT)


def test_at_a_stop_readiness_fails_first_then_the_port_closes_then_requests_finish(node_of):
    node = node_of(settings={'drain_seconds': '2s'})
    client = client_of(node)
    call = slow.Action(client, slow.SLEEP_IN_PYTHON, 6).start()
    assert ask(node, '/_cluster/ready')[0] == 200
    began = time.time()
    node.signal(signal.SIGTERM)
    wait_until(lambda: ask(node, '/_cluster/ready')[0] == 503, 1, "readiness fails")
    assert ask(node, '/_cluster/live')[0] == 200
    assert client.call('res.users', 'search', [('id', '=', 1)]) == [1], "it still serves"
    wait_until(lambda: ask(node, '/_cluster/ready')[0] == 0, 4, "the port closes")
    assert 1.5 < time.time() - began < 4.5
    assert node.is_running()
    assert call.result() == {'done': True}, "the request in flight was answered"
    wait_until(lambda: not node.is_running(), 5, "the node ended")
    assert node.exit_code() == 0


def test_a_request_that_is_still_being_sent_when_the_node_stops_is_answered(node_of):
    node = node_of()
    body = VERSION_CALL.encode()
    head = 'POST /xmlrpc/common HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n' % len(body)

    def reading():
        return [pid for pid in pids(node, 'http worker') if process_table.serves_a_connection(pid, node.port)]
    with socket.create_connection(('127.0.0.1', node.port), timeout=20) as connection:
        connection.sendall(head.encode() + body[:10])
        wait_until(reading, 10, "a worker has it")
        worker, = reading()
        node.signal(signal.SIGTERM)
        wait_until(lambda: ask(node, '/_cluster/live')[0] == 0, 20, "the port is closed")
        os.kill(worker, signal.SIGTERM)
        time.sleep(0.2)  # it has noticed
        connection.sendall(body[10:])
        assert connection.recv(65536).startswith(b'HTTP/1.1 200')
    wait_until(lambda: not node.is_running(), 10, "the node ended")


def test_graceful_timeout_cuts_off_what_does_not_finish(node_of):
    node = node_of(settings={'graceful_timeout': '2s'})
    call = slow.Action(client_of(node), slow.SLEEP_IN_PYTHON, 60).start()
    wait_until(lambda: any('s of POST' in title for title in node.titles().values()), 10, "it runs")
    began = time.time()
    node.stop()
    assert 1.5 < time.time() - began < 6
    assert 'did not finish within graceful_timeout' in node.log()
    with pytest.raises((OSError, http.client.HTTPException)):
        call.result()


def test_a_second_signal_forces_the_end(node_of):
    node = node_of(settings={'graceful_timeout': '60s'})
    slow.Action(client_of(node), slow.SLEEP_IN_PYTHON, 60).start()
    wait_until(lambda: any('s of POST' in title for title in node.titles().values()), 10, "it runs")
    node.signal(signal.SIGTERM)
    time.sleep(1)
    assert node.is_running()
    node.signal(signal.SIGTERM)
    wait_until(lambda: not node.is_running(), 3, "the node ended")
    assert node.children() == []


def test_a_stop_during_a_reload_ends_the_node(node_of):
    node = node_of()
    call = slow.Action(client_of(node), slow.SLEEP_IN_PYTHON, 8).start()
    wait_until(lambda: any('s of POST' in title for title in node.titles().values()), 10, "it runs")
    node.hang_up()
    wait_until(lambda: any('master [retiring' in title for title in node.titles().values()), 20,
               "the old master finishes its request")
    assert node.stop() == 0
    assert call.result() == {'done': True}
    assert node.children() == []


def test_another_port_is_served_after_a_reload(node_of):
    node = node_of()
    old = node.port
    node.options['xmlrpc_port'] = free_port()
    node.configure()
    reload_node(node)
    node.port = node.options['xmlrpc_port']
    assert ask(node, '/_cluster/ready')[0] == 200
    node.port = old
    assert ask(node, '/_cluster/ready')[0] == 0
    reload_node(node)  # the sockets handed on are the right ones
    node.port = node.options['xmlrpc_port']
    assert ask(node, '/_cluster/ready')[0] == 200


def test_a_busy_port_ends_the_start_with_one_sentence(node_of, cluster):
    first = node_of()
    second = cluster(nodes=1, template='tpl_base', wait=False).nodes[0]
    second.options['xmlrpc_port'] = first.port
    second.start(wait=False)
    wait_until(lambda: not second.is_running(), 30, "it gave up")
    assert second.exit_code() == 69
    assert 'Port %d on 127.0.0.1 cannot be used' % first.port in second.log()
