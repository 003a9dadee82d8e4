# -*- coding: utf-8 -*-
"""The main job on the real OpenERP: two nodes behind nginx are one server to every client."""
import collections
import re

import pytest
from testbed.clients import WebClient, XmlRpcClient
from testbed.waiting import wait_until

REQUESTS = 200


@pytest.fixture
def two_nodes(cluster):
    """Two nodes on a database with base, web and auth_openid."""
    return cluster(nodes=2, template='tpl_base')


def test_xmlrpc_calls_alternate_between_the_nodes_and_agree(two_nodes):
    client = XmlRpcClient(two_nodes.round_robin_url, two_nodes.database)
    everybody = client.call('res.users', 'search', [])
    assert client.uid in everybody
    for _ in range(REQUESTS):
        assert client.call('res.users', 'search', []) == everybody


def test_a_web_session_holds_while_200_requests_alternate_between_the_nodes(two_nodes):
    client = WebClient(two_nodes.round_robin_url, two_nodes.database)
    assert client.log_in() == 1
    answered_by = collections.Counter()
    for _ in range(REQUESTS):
        info = client.info()
        assert (info['uid'], info['db']) == (1, two_nodes.database)
        answered_by[client.node] += 1
    assert len(answered_by) == 2
    assert min(answered_by.values()) >= REQUESTS // 3


def test_what_one_node_is_told_the_other_knows(two_nodes):
    a, b = (XmlRpcClient(node.url, two_nodes.database) for node in two_nodes.nodes)
    partner = a.call('res.partner', 'create', {'name': 'Written through a'})
    assert b.call('res.partner', 'read', [partner], ['name'])[0]['name'] == 'Written through a'


def test_the_session_goes_on_through_the_other_node_when_one_is_killed(two_nodes):
    client = WebClient(two_nodes.round_robin_url, two_nodes.database)
    client.log_in()
    before = client.cookie()
    two_nodes.node('a').kill_all()
    for _ in range(20):
        assert client.info()['uid'] == 1
        assert client.node.endswith(':%d' % two_nodes.node('b').port)
    assert client.cookie() == before


def test_logging_out_on_one_node_logs_out_on_the_other(two_nodes):
    client = WebClient(two_nodes.nodes[0].url, two_nodes.database)
    client.log_in()
    client.url = two_nodes.nodes[1].url
    assert client.info()['uid'] == 1
    client.log_out()
    client.url = two_nodes.nodes[0].url
    assert not client.info()['uid']


def test_an_addon_installed_through_one_node_is_callable_on_the_other_without_restart(two_nodes):
    a, b = (XmlRpcClient(node.url, two_nodes.database) for node in two_nodes.nodes)
    with pytest.raises(Exception, match="Object note.note doesn't exist"):
        b.call('note.note', 'search', [])
    module = a.call('ir.module.module', 'search', [('name', '=', 'note')])
    a.call('ir.module.module', 'button_immediate_install', module)
    for _ in range(8):  # every worker of the other node, whichever takes the call
        assert isinstance(b.call('note.note', 'search', []), list)


def test_process_titles_show_node_role_and_state(two_nodes):
    node = two_nodes.node('a')
    wanted = {'keeper': 1, 'master': 1, 'http worker': 2, 'cron agent': 1}

    def by_role():
        titles = [re.match(r'oe-cluster-launch: a ([a-z ]+) \[\w+', title)
                  for title in node.titles().values()]
        found = collections.Counter(match.group(1) for match in titles if match)
        return all(found[role] == number for role, number in wanted.items())
    wait_until(by_role, 20, "the titles are there: %s" % sorted(node.titles().values()))
    assert ' keeper [' in node.titles()[node.pid]


def test_a_browser_logs_in_through_round_robin_and_opens_a_menu(cluster, browser):
    demo = cluster(nodes=2, template='tpl_full')
    browser.log_in(demo.round_robin_url)
    browser.open_menu('Sales')
    browser.open_menu('Sales Orders')
    browser.find('.oe_list_content tbody tr[data-id]')
    assert 'SO00' in browser.text()
    assert not [line for line in browser.console() if ' 500 ' in line or ' 502 ' in line]


def test_no_node_answers_before_it_can_serve(cluster):
    late = cluster(nodes=1, template='tpl_base', wait=False)
    node = late.nodes[0]
    node.start(wait=False)
    statuses = []

    def serving():
        statuses.append(node.get('/web/webclient/version_info', '{"params": {}}'))
        assert node.is_running(), node.log_tail()
        return statuses[-1] == 200
    wait_until(serving, 60, "the node serves")
    assert set(statuses) <= {0, 200}
