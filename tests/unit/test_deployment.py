# -*- coding: utf-8 -*-
"""Files for nginx and systemd: what of a node's settings goes where."""
import re

import pytest

from oe_cluster_launch import cli, errors
from oe_cluster_launch.deployment import nginx, systemd
from oe_cluster_launch.settings import load_settings

LAUNCHER = '/opt/oe-cluster/bin/oe-cluster-launch'


@pytest.fixture
def settings_of(tmpdir):
    """A function: the settings of a file with these lines in [options] and [cluster]."""
    def load(options='', cluster=''):
        path = tmpdir.join('node.conf')
        path.write('[options]\n%s\n[cluster]\n%s\n' % (options, cluster))
        return load_settings(str(path), {})
    return load


def service(settings, launcher=LAUNCHER, folder='/etc/oe-cluster'):
    """The directives of the unit: {name: [value, ...]}"""
    found = {}
    for name, value in re.findall(r'^(\w+)=(.*)$', systemd.unit('service', settings, launcher, folder),
                                  re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def test_the_unit_waits_as_long_as_the_settings_say(settings_of):
    unit = service(settings_of(cluster='drain_seconds = 20\ngraceful_timeout = 5m'))
    assert unit['TimeoutStopSec'] == ['380']


def test_the_unit_runs_as_the_user_of_the_settings(settings_of):
    assert service(settings_of())['User'] == ['openerp']
    unit = service(settings_of(cluster='user = erp'))
    assert (unit['User'], unit['Group']) == (['erp'], ['erp'])


def test_the_unit_lets_the_node_write_what_its_file_names_and_nothing_else(settings_of):
    unit = service(settings_of('logfile = /srv/log/node.log\npidfile = /run/oe-cluster/node.pid',
                               'shared_paths = /srv/filestore, /srv/more'))
    assert unit['ReadWritePaths'] == ['/srv/filestore', '/srv/log', '/srv/more']
    assert 'ReadWritePaths' not in service(settings_of('logfile = False'))


@pytest.mark.parametrize('options, launcher', [
    ('addons_path = /opt/addons,/home/erp/addons', LAUNCHER), ('', '/home/erp/bin/oe-cluster-launch')])
def test_homes_are_hidden_unless_something_lies_there(settings_of, options, launcher):
    assert service(settings_of())['ProtectHome'] == ['yes']
    assert service(settings_of(options), launcher)['ProtectHome'] == ['read-only']


@pytest.mark.parametrize('options, address', [
    ('', '8069'), ('xmlrpc_interface = 10.0.0.11', '10.0.0.11:8069'),
    ('xmlrpc_interface = fd00::1\nxmlrpc_port = 8070', '[fd00::1]:8070')])
def test_the_socket_has_the_nodes_address(settings_of, options, address):
    text = systemd.unit('socket', settings_of(options), LAUNCHER, '/etc/oe-cluster')
    assert '\nListenStream=%s\n' % address in text


def test_nginx_waits_longer_than_a_request_may_take_and_takes_no_larger_body(settings_of):
    text = nginx.site(settings_of('limit_time_real = 900', 'limit_body = 1M'))
    assert 'proxy_read_timeout 1500s;' in text and 'client_max_body_size 1048576;' in text


def test_without_a_status_port_the_workers_tell_how_the_node_is(settings_of):
    assert 'server 127.0.0.1:9069' in nginx.site(settings_of())
    text = nginx.site(settings_of(cluster='status_port = 0'))
    assert 'oe_cluster_status' not in text and 'allow 10.0.0.0/8;' in text


def test_members_are_found_by_machine_when_they_listen_everywhere(settings_of):
    member = {'node': 'a', 'machine': 'erp1', 'address': '0.0.0.0:8069', 'state': 'running'}
    assert nginx.member_places(settings_of(), [
        dict(member), dict(member, address='10.0.0.2:8069', status_address='10.0.0.2:9999'),
        dict(member, state='lost'), {'node': 'b', 'state': 'running'}]) == [
            (('10.0.0.2', 8069), ('10.0.0.2', 9999)), (('erp1', 8069), ('erp1', 9069))]


def test_a_wrong_port_in_the_file_is_named(settings_of, capsys):
    path = settings_of('xmlrpc_port = http').path
    assert cli.main(['nginx', '-c', path]) == errors.EXIT_CONFIGURATION
    assert 'xmlrpc_port = http: accepted is a whole number' in capsys.readouterr()[1]


def test_units_are_written_where_they_belong(settings_of, tmpdir, capsys):
    path = settings_of().path
    assert cli.main(['systemd', '-c', path, '-o', str(tmpdir)]) == errors.EXIT_OK
    assert sorted(each.basename for each in tmpdir.listdir()) == [
        'node.conf', 'oe-cluster.target', 'oe-cluster@.service']
    assert cli.main(['systemd', '-c', path, '-o', str(tmpdir.join('missing'))]) == errors.EXIT_USAGE
    assert 'cannot be written: No such file' in capsys.readouterr()[1]
