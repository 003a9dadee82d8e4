# -*- coding: utf-8 -*-
"""OpenERP's own `restart_server` on a cluster: every node serves the new code, nobody is stopped."""
import urllib.request

from testbed import session
from testbed.addon import ProbeAddon
from testbed.clients import XmlRpcClient
from testbed.waiting import wait_until

from oe_cluster_launch.store.keys import Keys


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
    client.call('ir.module.module', 'install_from_urls', {'probe': addon.pack('two')})
    wait_until(lambda: [version_at(node) for node in two_nodes.nodes] == ['two', 'two'], 40,
               "both nodes serve the new code")
    assert 'OpenERP asks for a restart' in two_nodes.nodes[0].log()
    assert 'reloading this node: ' in two_nodes.nodes[1].log()
    assert [node.pid for node in two_nodes.nodes] == pids and all(
        node.is_running() for node in two_nodes.nodes)


def only_master(node, other_than=None):
    """The pid of the node's only master, None while there are several.

    A child that was forked a moment ago counts: it does not call itself anything else yet.
    """
    found = [pid for pid, title in node.titles().items() if ' master [' in title]
    return found[0] if len(found) == 1 and found[0] != other_than else None


def test_a_call_that_nobody_heard_is_obeyed_all_the_same_and_once(cluster):
    """As when the watcher was between two lives: the counter has moved, no message came."""
    one = cluster(nodes=1, template='tpl_base', settings={'refresh_interval': '1s'})
    node = one.nodes[0]
    before = wait_until(lambda: only_master(node), 10, "it has a master")
    one.redis.ask('INCR', Keys('oe').cluster_event_count)
    after = wait_until(lambda: only_master(node, before), 40, "one new master serves")
    assert node.log().count('nobody listened here') == 1
    # a second call is a second reload, and the first is not obeyed again
    one.redis.ask('INCR', Keys('oe').cluster_event_count)
    wait_until(lambda: only_master(node, after), 40, "another new master serves")
    assert node.log().count('nobody listened here') == 2
