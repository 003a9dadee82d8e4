# -*- coding: utf-8 -*-
"""The contrast: faults 12, 14 and 15 on stock servers, whose tests on our nodes stand elsewhere."""
import urllib.request
import xmlrpc.client

import pytest
from testbed import account, session
from testbed.addon import ProbeAddon
from testbed.clients import XmlRpcClient
from testbed.node import server_command


def update(postgres, database, module):
    """openerp-server -u MODULE --stop-after-init, to its end; returns (exit code, what it printed)."""
    command = server_command() + [
        '-d', database, '-u', module, '--stop-after-init', '--db_host', postgres.host,
        '--db_port', str(postgres.port), '--db_user', postgres.role,
        '--no-xmlrpc', '--no-netrpc', '--max-cron-threads=0']
    return account.run(command, session.fresh_folder('stock-update'))


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
    code, printed = update(postgres, server.database, 'web')
    assert code == 0, printed
    assert registry_signal(postgres, server.database) == before


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
