# -*- coding: utf-8 -*-
"""OpenERP's own `restart_server` on a cluster: every node serves the new code, nobody is stopped."""
import urllib.request

from testbed import session
from testbed.addon import ProbeAddon
from testbed.clients import XmlRpcClient
from testbed.waiting import wait_until


def version_at(node):
    with urllib.request.urlopen(node.url + '/probe/version', timeout=20) as answer:
        return answer.read().decode()


def test_an_addon_updated_from_the_web_client_reloads_every_node(cluster):
    addon = ProbeAddon(session.fresh_folder('addons')).write('one')
    two_nodes = cluster(nodes=2, template='tpl_base', options={'addons_path': addon.addons_path()})
    client = XmlRpcClient(two_nodes.nodes[0].url, two_nodes.database)
    client.call('ir.module.module', 'update_list')
    found = client.call('ir.module.module', 'search', [('name', '=', 'probe')])
    client.call('ir.module.module', 'button_immediate_install', found)
    assert [version_at(node) for node in two_nodes.nodes] == ['one', 'one']
    pids = [node.pid for node in two_nodes.nodes]
    # a node hears others when its watcher runs, a second after the node is ready
    wait_until(lambda: all(any('watcher [running' in title for title in node.titles().values())
                           for node in two_nodes.nodes), 10, "both watchers run")
    client.call('ir.module.module', 'install_from_urls', {'probe': addon.pack('two')})
    wait_until(lambda: [version_at(node) for node in two_nodes.nodes] == ['two', 'two'], 40,
               "both nodes serve the new code")
    assert 'OpenERP asks for a restart' in two_nodes.nodes[0].log()
    # told by node a; one whose watcher was away then finds the changed registry by itself
    assert 'reloading this node: ' in two_nodes.nodes[1].log()
    assert [node.pid for node in two_nodes.nodes] == pids and all(
        node.is_running() for node in two_nodes.nodes)
