# -*- coding: utf-8 -*-
"""The contrast: faults 12, 13, 14, 15, 20 and 23 on stock servers; the tests on our nodes stand elsewhere."""
import threading
import urllib.request
import xmlrpc.client

import pytest
from testbed import account, session
from testbed.addon import ProbeAddon
from testbed.clients import XmlRpcClient
from testbed.clock import Clock
from testbed.node import server_command
from testbed.waiting import wait_until
from testbed.witness import Witness

TELLS_ITS_TEMPORARY_FOLDER = """
import tempfile

class Temporary(http.Controller):
    _cp_path = '/temporary'

    @http.httprequest
    def folder(self, request):
        return request.make_response(tempfile.gettempdir())
"""


def run_once(postgres, database, *arguments):
    """openerp-server with --stop-after-init, to its end; returns (exit code, what it printed)."""
    command = server_command() + list(arguments) + [
        '-d', database, '--stop-after-init', '--db_host', postgres.host,
        '--db_port', str(postgres.port), '--db_user', postgres.role,
        '--no-xmlrpc', '--no-netrpc', '--max-cron-threads=0']
    return account.run(command, session.fresh_folder('stock-once'))


def registry_signal(postgres, database):
    return int(postgres.query('SELECT last_value FROM base_registry_signaling', database)[0][0])


def version_at(server):
    with urllib.request.urlopen(server.url + '/probe/version', timeout=20) as answer:
        return answer.read().decode()


def test_a_stock_update_tells_no_running_server(stock, postgres):
    """Fault 12; ours: test_one_off_work.py."""
    server = stock(template='tpl_base')
    XmlRpcClient(server.url, server.database).call('res.users', 'search', [])
    before = registry_signal(postgres, server.database)
    code, printed = run_once(postgres, server.database, '-u', 'web')
    assert code == 0, printed
    assert registry_signal(postgres, server.database) == before


def test_stock_servers_that_first_load_an_empty_database_at_once_collide(postgres, database):
    """Fault 13; ours: test_updates.py."""
    name, printed = database('template0'), []
    servers = [threading.Thread(target=lambda: printed.append(
        run_once(postgres, name, '-i', 'base', '--without-demo=all')[1])) for _ in range(2)]
    for server in servers:
        server.start()
    for server in servers:
        server.join(300)
    assert len(printed) == 2
    assert any('already exists' in log or 'duplicate key' in log or 'could not serialize' in log
               for log in printed)


def test_stock_workers_share_one_temporary_folder_and_ours_do_not(stock, cluster):
    """Fault 20: report_webkit names its files there by the time of day."""
    addon = ProbeAddon(session.fresh_folder('addons')).write('one', TELLS_ITS_TEMPORARY_FOLDER)
    options = {'addons_path': addon.addons_path()}
    folders = []
    for server in (stock(template='tpl_base', options=options),
                   cluster(nodes=1, template='tpl_base', options=options).nodes[0]):
        answers = set()
        for _ in range(40):
            with urllib.request.urlopen(server.url + '/temporary/folder', timeout=20) as answer:
                answers.add(answer.read().decode())
        folders.append(answers)
    assert [len(each) for each in folders] == [1, 2]


def test_a_stock_server_keeps_the_controllers_it_started_with(stock, postgres):
    """Fault 14; ours: test_updates.py and test_cluster_reload.py."""
    addon = ProbeAddon(session.fresh_folder('addons')).write('one')
    options = {'addons_path': addon.addons_path()}
    server = stock(template='tpl_base', options=options)
    client = XmlRpcClient(server.url, server.database)
    client.call('ir.module.module', 'update_list')
    found = client.call('ir.module.module', 'search', [('name', '=', 'probe')])
    client.call('ir.module.module', 'button_immediate_install', found)
    assert {version_at(server) for _ in range(20)} == {'one'}  # every worker has imported it
    addon.write('two')
    client.call('ir.module.module', 'button_immediate_upgrade', found)  # signals every worker
    for _ in range(8):
        client.call('res.users', 'search', [])
    assert 'one' in {version_at(server) for _ in range(20)}


def test_a_stock_server_with_workers_cannot_restart_itself(stock):
    """Fault 15; ours: test_cluster_reload.py."""
    addon = ProbeAddon(session.fresh_folder('addons')).write('one')
    server = stock(template='tpl_base', options={'addons_path': addon.addons_path()})
    client = XmlRpcClient(server.url, server.database)
    client.call('ir.module.module', 'update_list')
    found = client.call('ir.module.module', 'search', [('name', '=', 'probe')])
    client.call('ir.module.module', 'button_immediate_install', found)
    with pytest.raises(xmlrpc.client.Fault, match='NotImplementedError'):
        client.call('ir.module.module', 'install_from_urls', {'probe': addon.pack('two')})


@pytest.mark.parametrize('hours', [-1, 1])
def test_stock_serves_due_times_by_its_own_clock(stock, postgres, database, hours):
    """Fault 23: an hour behind it runs nothing for an hour, ahead it skips an hour's; ours:
    test_cron_failover.py."""
    clock = Clock(session.fresh_folder('clock'))
    clock.jump(hours * 3600)
    witness = Witness(postgres, database('tpl_base')).install()
    witness.add_job('beat')
    witness._query("UPDATE ir_act_server SET code = 'pass' WHERE name = 'beat'")
    witness._query("CREATE TABLE looks (nextcall timestamp); ALTER TABLE looks OWNER TO %s;"
                   "CREATE RULE look AS ON UPDATE TO ir_cron DO ALSO INSERT INTO looks VALUES (NEW.nextcall)"
                   % postgres.role)
    stock(database=witness.database, environment=clock.environment)
    ahead, = wait_until(lambda: witness._query(
        "SELECT extract(epoch FROM nextcall - now() AT TIME ZONE 'UTC') FROM looks LIMIT 1"), 100,
        "the job was looked at, after up to 70 s of sleep")
    assert float(ahead[0]) > 3000 if hours > 0 else float(ahead[0]) < 0
