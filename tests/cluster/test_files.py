# -*- coding: utf-8 -*-
"""Files that belong to one node: attachments and temporary files, faults 17 and 20."""
import base64
import glob
import os
import signal

import openerp_roots
import pytest
from testbed import account, session
from testbed.clients import XmlRpcClient
from testbed.node import StockServer
from testbed.waiting import wait_until

from oe_cluster_launch import errors

CONTENT = base64.b64encode(b'what node a was given').decode()


def keep_in_files(postgres, database):
    """Have OpenERP keep attachments as files below its own folder."""
    postgres.query("INSERT INTO ir_config_parameter (key, value) "
                   "VALUES ('ir_attachment.location', 'file:///filestore')", database)


def written_through(a, read_through, database):
    """What one server reads of an attachment that another has written."""
    written = XmlRpcClient(a.url, database).call(
        'ir.attachment', 'create', {'name': 'x', 'datas_fname': 'x', 'datas': CONTENT})
    read, = XmlRpcClient(read_through.url, database).call('ir.attachment', 'read', [written], ['datas'])
    return (read['datas'] or '').strip()


@pytest.fixture
def roots(session_folder):
    """A function that gives a server an OpenERP folder of its own, as on another machine."""
    def give(server):
        folder = openerp_roots.make(session.fresh_folder('root'))
        server.environment['PYTHONPATH'] = openerp_roots.python_path(folder)
        return os.path.join(folder, 'openerp')
    return give


def test_two_stock_servers_do_not_see_each_others_attachments(stock_apart, postgres):
    """The contrast: the content is lost for whoever asks the other server."""
    a, b, database = stock_apart
    keep_in_files(postgres, database)
    assert not written_through(a, b, database)


@pytest.fixture
def stock_apart(postgres, database, roots):
    """Two stock servers on one database, each with an OpenERP folder of its own."""
    name = database('tpl_base')
    servers = [StockServer('stock', session.fresh_folder('stock'), postgres, database=name) for _ in 'ab']
    for server in servers:
        roots(server)
        server.start()
    yield servers[0], servers[1], name
    for server in servers:
        server.kill_all()


def test_attachments_in_shared_paths_are_seen_by_every_node(cluster, postgres, roots):
    share = account.folder(session.fresh_folder('share'))
    nodes = cluster(nodes=2, template='tpl_base', wait=False,
                    settings={'shared_paths': share, 'local_attachments': 'refuse'})
    for node in nodes.nodes:
        os.symlink(share, os.path.join(roots(node), 'filestore'))
    keep_in_files(postgres, nodes.database)
    nodes.start()
    a, b = nodes.nodes
    assert written_through(a, b, nodes.database) == CONTENT


def test_attachments_that_other_nodes_do_not_have_are_told_at_the_start_or_refused(cluster, postgres):
    nodes = cluster(nodes=2, template='tpl_base', wait=False,
                    node_settings={'b': {'local_attachments': 'refuse'}})
    keep_in_files(postgres, nodes.database)
    a, b = nodes.nodes
    b.start(wait=False)
    wait_until(lambda: not b.is_running(), 60, "node b refuses")
    assert b.exit_code() == errors.EXIT_CONFIGURATION
    assert 'ir_attachment.location = file:///filestore' in b.log() and 'shared_paths' in b.log()
    a.start()
    assert 'they answer with empty files' in a.log()


def test_a_node_whose_share_is_not_mounted_does_not_start(cluster):
    shares = [account.folder(session.fresh_folder('share')) for _ in 'ab']
    mount = os.path.join(session.fresh_folder('mounts'), 'files')
    nodes = cluster(nodes=2, template='tpl_base', wait=False, settings={'shared_paths': mount})
    a, b = nodes.nodes
    os.symlink(shares[0], mount)
    a.start()
    os.unlink(mount)
    os.symlink(shares[1], mount)
    b.start(wait=False)
    wait_until(lambda: not b.is_running(), 60, "node b refuses")
    assert b.exit_code() == errors.EXIT_CONFIGURATION
    assert 'is not the folder that node a has' in b.log()


def test_each_worker_has_a_temporary_folder_of_its_own_and_none_is_left(cluster):
    node = cluster(nodes=1, template='tpl_base').nodes[0]
    wait_until(lambda: len(glob.glob(os.path.join(node.folder, 'oe-worker-*'))) >= 2, 30, "two have folders")
    node.stop()
    assert not glob.glob(os.path.join(node.folder, 'oe-worker-*'))


def cron_workers(node):
    return {pid for pid, title in node.titles().items() if 'cron worker' in title}


def owners(node):
    """The processes that have a temporary folder."""
    return {int(os.path.basename(path).split('-')[3]) for path in
            glob.glob(os.path.join(node.folder, 'oe-worker-*'))}


def test_a_cron_worker_has_a_temporary_folder_too_and_what_a_killed_one_left_is_removed(cluster):
    node = cluster(nodes=1, template='tpl_base').nodes[0]
    first = wait_until(lambda: cron_workers(node), 30, "cron runs")
    wait_until(lambda: first <= owners(node), 10, "it has a folder")
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: cron_workers(node) - first and not first & owners(node), 30, "another has taken over")
    wait_until(lambda: cron_workers(node) <= owners(node), 10, "it has a folder")
    assert node.stop() == 0
    assert not owners(node)
