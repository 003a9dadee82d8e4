# -*- coding: utf-8 -*-
"""The testbed itself, as far as it takes OpenERP: shown on the stock server."""
import pytest
from testbed import process_table
from testbed.clients import RemoteError, WebClient, XmlRpcClient


def test_the_stock_server_serves_a_copy_of_the_full_database(stock):
    server = stock(workers=2)
    client = XmlRpcClient(server.url, server.database)
    assert client.uid == 1
    names = [module['name'] for module in client.call(
        'ir.module.module', 'read', client.call(
            'ir.module.module', 'search', [('state', '=', 'installed')]), ['name'])]
    assert {'sale', 'crm', 'purchase', 'hr', 'auth_openid'} <= set(names)
    assert client.call('sale.order', 'search', [])
    assert server.database in client.db.list()

    web = WebClient(server.url, server.database)
    assert web.log_in(password='wrong') is False
    assert web.log_in() == 1
    assert web.call('res.users', 'read', [1], ['login'])[0]['login'] == 'admin'
    web.log_out()
    with pytest.raises(RemoteError):
        web.call('res.users', 'read', [1], ['login'])


def test_the_base_database_has_the_web_client_only(stock):
    server = stock('tpl_base', workers=1)
    client = XmlRpcClient(server.url, server.database)
    assert client.call('ir.module.module', 'search', [('name', '=', 'sale'),
                                                      ('state', '=', 'installed')]) == []


def test_a_killed_server_leaves_no_worker(stock):
    server = stock('tpl_base', workers=2)
    assert len(server.children()) >= 3
    server.kill_all()
    assert process_table.family(server.pid) == []


def test_a_browser_logs_in_and_opens_a_menu(stock, browser):
    server = stock(workers=2)
    browser.log_in(server.url)
    browser.open_menu('Sales')
    browser.open_menu('Sales Orders')
    browser.find('.oe_list_content tbody tr[data-id]')
    assert 'SO00' in browser.text()
