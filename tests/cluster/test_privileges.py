# -*- coding: utf-8 -*-
"""Started as root the launcher becomes `user`; OpenERP never runs as root."""
import os
import subprocess

import pytest
from testbed import account, paths, session
from testbed.node import NodeProcess, write_secret_key
from testbed.ports import free_port

from oe_cluster_launch import errors

#: make test runs as root, or as a user with sudo
AS_ROOT = [] if os.getuid() == 0 else ['sudo', '-n']


@pytest.fixture
def node(postgres, database, redis_server):
    folder = session.fresh_folder('privileges')
    made = NodeProcess('a', folder, postgres, redis_server.url,
                       write_secret_key(os.path.join(folder, 'secret.key')),
                       database=database('tpl_base'), port=free_port())
    yield made
    made.kill_all()


def run_as_root(node, *arguments):
    """(exit code, what was printed) of the launcher started as root with the node's file."""
    node.configure()
    process = subprocess.Popen(
        AS_ROOT + [paths.python27('oe-cluster-launch'), '-c', node.configuration_path] + list(arguments),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd='/')
    printed = process.communicate()[0].decode('utf-8')
    return process.returncode, printed


def test_root_without_a_user_is_refused_with_the_remedy(node):
    code, printed = run_as_root(node)
    assert code == errors.EXIT_NO_PERMISSION
    assert 'set `user` in [cluster]' in printed.splitlines()[-1]


def test_root_becomes_the_user_before_openerp_is_loaded(node):
    user = account.current().pw_name
    node.cluster['user'] = user
    node.options['pidfile'] = os.path.join(node.folder, 'by-openerp.pid')
    code, printed = run_as_root(node, '-u', 'web', '--stop-after-init',
                                '--logfile', os.path.join(node.folder, 'written.log'))
    assert code == 0, printed
    owner = os.stat(os.path.join(node.folder, 'written.log')).st_uid
    assert owner == account.current().pw_uid != 0


@pytest.mark.parametrize('key, value', [
    ('user', 'no-such-user'), ('group', 'no-such-group'), ('user', 'root')])
def test_a_user_that_cannot_be_is_a_configuration_fault(node, key, value):
    node.cluster['user'] = account.current().pw_name
    node.cluster[key] = value
    code, printed = run_as_root(node)
    assert code == errors.EXIT_CONFIGURATION
    assert '%s = %s' % (key, value) in printed


def test_a_key_file_that_others_can_read_is_refused(node):
    node.cluster['user'] = account.current().pw_name
    os.chmod(node.cluster['secret_key_file'], 0o644)
    code, printed = run_as_root(node)
    assert code == errors.EXIT_NO_PERMISSION
    assert 'chmod 600' in printed
