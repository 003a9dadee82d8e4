# -*- coding: utf-8 -*-
"""-i, -u, --test-enable and --stop-after-init: done once, seen by the cluster, honest exit codes."""
import os
import textwrap

import pytest
from testbed import account, paths, session
from testbed.clients import XmlRpcClient
from testbed.node import write_secret_key

from oe_cluster_launch import errors


@pytest.fixture
def launch(postgres, redis_server):
    """A function that runs oe-cluster-launch to its end; returns (exit code, what it printed)."""
    folder = session.fresh_folder('launch')
    key = write_secret_key(os.path.join(folder, 'secret.key'))

    def run(*arguments, **options):
        configuration = os.path.join(folder, 'node.conf')
        options = dict({'db_host': postgres.host, 'db_port': postgres.port, 'db_user': postgres.role,
                        'xmlrpc_interface': '127.0.0.1', 'xmlrpc_port': 1}, **options)
        with open(configuration, 'w') as target:
            target.write('[options]\n')
            target.writelines('%s = %s\n' % item for item in options.items())
            target.write('[cluster]\nredis_url = %s\nsecret_key_file = %s\n' % (redis_server.url, key))
        account.give(configuration)
        command = [paths.python27('oe-cluster-launch'), '-c', configuration] + list(arguments)
        return account.run(command, folder)
    run.folder = folder
    return run


@pytest.fixture
def addons(launch):
    """A function that writes an addon; returns the addons_path that finds it beside OpenERP's."""
    folder = account.folder(os.path.join(launch.folder, 'addons'))

    def write(name, data='', test=''):
        addon = account.folder(os.path.join(folder, name))
        files = {
            '__init__.py': '',
            '__openerp__.py': repr({'name': name, 'depends': ['base'], 'data': ['data.xml'],
                                    'test': ['test.yml'] if test else []}),
            'data.xml': '<openerp><data>%s</data></openerp>' % data,
            'test.yml': textwrap.dedent(test),
        }
        for file_name, text in files.items():
            with open(os.path.join(addon, file_name), 'w') as target:
                target.write(text)
            account.give(os.path.join(addon, file_name))
        return folder
    return write


PARTNER = '''<record id="witness" model="res.partner"><field name="name">%s</field></record>'''


def partners(postgres, database, name):
    return len(postgres.query("SELECT 1 FROM res_partner WHERE name = '%s'" % name, database))


def registry_signal(postgres, database):
    """The sequence that tells every process to reload its registry."""
    return int(postgres.query('SELECT last_value FROM base_registry_signaling', database)[0][0])


def test_an_update_installs_and_exits_with_zero(launch, addons, postgres, database):
    name = database('tpl_base')
    path = addons('witness_addon', PARTNER % 'installed')
    code, printed = launch('-d', name, '-i', 'witness_addon', '--stop-after-init', '--addons-path', path)
    assert code == 0, printed
    assert partners(postgres, name, 'installed') == 1
    addons('witness_addon', PARTNER % 'updated')
    code, printed = launch('-d', name, '-u', 'witness_addon', '--stop-after-init', '--addons-path', path)
    assert code == 0, printed
    assert partners(postgres, name, 'updated') == 1


def test_an_update_of_several_databases_updates_them_all(launch, addons, postgres, database):
    names = [database('tpl_base'), database('tpl_base')]
    path = addons('witness_addon', PARTNER % 'installed')
    code, printed = launch('-d', ','.join(names), '-i', 'witness_addon', '--stop-after-init',
                           '--addons-path', path)
    assert code == 0, printed
    assert [partners(postgres, name, 'installed') for name in names] == [1, 1]


def test_an_empty_database_gets_base(launch, postgres, database):
    name = database('template0')
    code, printed = launch('-d', name, '--stop-after-init', '--without-demo=all')
    assert code == 0, printed
    assert postgres.query("SELECT state FROM ir_module_module WHERE name = 'base'", name) == [['installed']]


def test_an_update_on_one_node_reloads_the_registry_of_the_other(cluster, launch, postgres):
    running = cluster(nodes=2, template='tpl_base')
    b = XmlRpcClient(running.node('b').url, running.database)
    # a column that only a registry loaded after this moment can know
    postgres.query("ALTER TABLE res_bank ADD COLUMN x_witness varchar", running.database)
    postgres.query("INSERT INTO ir_model_fields (name, model, model_id, field_description, ttype, state,"
                   " relation, select_level)"
                   " SELECT 'x_witness', 'res.bank', id, 'w', 'char', 'manual', '', '0'"
                   " FROM ir_model WHERE model = 'res.bank'", running.database)
    assert 'x_witness' not in b.call('res.bank', 'fields_get')
    before = registry_signal(postgres, running.database)
    code, printed = launch('-d', running.database, '-u', 'web', '--stop-after-init')
    assert code == 0, printed
    assert registry_signal(postgres, running.database) > before
    for _ in range(8):
        assert 'x_witness' in b.call('res.bank', 'fields_get')


def test_an_addon_with_broken_data_ends_in_failure_and_leaves_the_database_as_it_was(
        launch, addons, postgres, database):
    name = database('tpl_base')
    path = addons('witness_addon', PARTNER % 'half' + '<record id="x" model="no.such.model"/>')
    code, printed = launch('-d', name, '-i', 'witness_addon', '--stop-after-init', '--addons-path', path)
    assert code == errors.EXIT_FAILURE
    assert 'Updating database %s failed' % name in printed
    assert partners(postgres, name, 'half') == 0


@pytest.mark.parametrize('option', ['-i', '-u'])
def test_a_module_that_does_not_exist_ends_in_failure(launch, database, option):
    name = database('tpl_base')
    code, printed = launch('-d', name, option, 'no_such_module', '--stop-after-init')
    assert code == errors.EXIT_FAILURE
    assert 'no_such_module' in printed.splitlines()[-1]


@pytest.mark.parametrize('verdict, expected', [('True', 0), ('False', errors.EXIT_FAILURE)])
def test_test_enable_answers_with_its_exit_code(launch, addons, database, verdict, expected):
    name = database('tpl_base')
    path = addons('witness_addon', PARTNER % 'x', test='''
        - the verdict
        - !assert {model: res.users, id: base.user_root, string: the verdict}:
            - id == 1 and %s
        ''' % verdict)
    code, printed = launch('-d', name, '-i', 'witness_addon', '--test-enable', '--stop-after-init',
                           '--addons-path', path)
    assert code == expected, printed


def test_a_database_that_does_not_exist_is_one_sentence(launch):
    code, printed = launch('-d', 'no_such_database', '-u', 'base', '--stop-after-init')
    assert code == errors.EXIT_UNAVAILABLE
    assert 'no_such_database' in printed.splitlines()[-1]
    assert 'Traceback' not in printed


def test_an_update_without_a_database_is_a_usage_error(launch):
    code, printed = launch('-u', 'base', '--stop-after-init')
    assert code == errors.EXIT_USAGE
    assert '-d NAME' in printed


def test_check_names_every_fault_at_once_and_starts_nothing(launch, postgres, database):
    code, printed = launch('--check', '-d', 'no_such_database', '--addons-path', launch.folder)
    assert code == errors.EXIT_CONFIGURATION
    assert 'addons-path' in printed
    code, printed = launch('--check', '-d', 'no_such_database')
    assert code == errors.EXIT_CONFIGURATION
    assert 'no_such_database' in printed
    code, printed = launch('--check', '-d', database('tpl_base'), xmlrpc_port=postgres.port)
    assert code == errors.EXIT_CONFIGURATION
    assert 'xmlrpc_port = 127.0.0.1:%d' % postgres.port in printed


def test_check_of_a_good_configuration_exits_with_zero(launch, database):
    code, printed = launch('--check', '-d', database('tpl_base'), xmlrpc_port=58069)
    assert code == 0, printed


def test_the_postgres_superuser_is_refused(launch, database):
    code, printed = launch('-d', database('tpl_base'), db_user='postgres')
    assert code == errors.EXIT_CONFIGURATION
    assert 'db_user = postgres' in printed


def test_an_unreachable_redis_stops_the_boot_with_one_sentence(launch, database, redis_server):
    redis_server.kill_all()
    code, printed = launch('-d', database('tpl_base'))
    assert code == errors.EXIT_UNAVAILABLE
    assert redis_server.url in printed.splitlines()[-1]
    assert 'Traceback' not in printed
