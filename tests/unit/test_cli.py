# -*- coding: utf-8 -*-
"""The command line: subcommands, exit codes, one sentence per mistake."""
import json

import pytest

from oe_cluster_launch import __version__, cli, errors
from oe_cluster_launch.commands import run
from oe_cluster_launch.settings import TABLE


@pytest.fixture(autouse=True)
def no_configuration_from_outside(monkeypatch):
    monkeypatch.delenv('OPENERP_SERVER', raising=False)


def test_no_argument_prints_the_usage_and_is_a_usage_error(capsys):
    assert cli.main([]) == errors.EXIT_USAGE
    assert 'node.conf' in capsys.readouterr()[0]


def test_help_lists_every_subcommand(capsys):
    assert cli.main(['--help']) == errors.EXIT_OK
    printed = capsys.readouterr()[0]
    for name in cli.subcommands():
        assert 'oe-cluster-launch %s' % name in printed


def test_version(capsys):
    assert cli.main(['--version']) == errors.EXIT_OK
    assert __version__ in capsys.readouterr()[0]


def test_every_command_module_has_the_same_four_names():
    for module in cli.subcommands().values():
        assert module.NAME and module.HELP
        assert callable(module.add_arguments) and callable(module.run)


def test_an_unknown_command_and_an_unknown_option_are_usage_errors(capsys):
    assert cli.main(['frobnicate']) == errors.EXIT_USAGE
    assert cli.main(['config', '--frobnicate']) == errors.EXIT_USAGE


def test_a_launch_error_is_one_sentence_and_its_exit_code(capsys):
    assert cli.main(['config', '-c', '/no/such/node.conf']) == errors.EXIT_CONFIGURATION
    printed, complained = capsys.readouterr()
    assert printed == ''
    assert complained.startswith('oe-cluster-launch: 1 configuration fault in /no/such/node.conf')
    assert 'Traceback' not in complained


def test_config_shows_every_setting_with_value_origin_default_and_unit(capsys, monkeypatch):
    monkeypatch.setenv('OE_CLUSTER_REDIS_PASSWORD', 'hidden')
    assert cli.main(['config', '-f', 'json']) == errors.EXIT_OK
    printed = capsys.readouterr()[0]
    rows = {row['setting']: row for row in json.loads(printed)}
    assert set(rows) == {row.name for row in TABLE}
    assert rows['session_ttl']['value'] == '604800'
    assert rows['session_ttl']['unit'] == 'seconds'
    assert rows['session_ttl']['default'] == '7d'
    assert rows['redis_password']['value'] == '***'
    assert rows['redis_password']['origin'] == 'environment OE_CLUSTER_REDIS_PASSWORD'
    assert 'hidden' not in printed


def test_config_as_a_table_has_a_line_per_setting(capsys):
    assert cli.main(['config']) == errors.EXIT_OK
    lines = capsys.readouterr()[0].splitlines()
    assert len(lines) == len(TABLE) + 1
    assert lines[0].split()[:3] == ['setting', 'value', 'unit']


@pytest.mark.parametrize('argv, path', [
    (['-c', 'a.conf', '-d', 'x'], 'a.conf'),
    (['--config', 'a.conf'], 'a.conf'),
    (['--config=a.conf'], 'a.conf'),
    (['-ca.conf'], 'a.conf'),
    (['-d', 'x'], None),
])
def test_the_configuration_file_is_found_as_openerp_finds_it(argv, path):
    assert run.find_config_path(argv) == path


def test_openerp_server_in_the_environment_names_the_file_too(monkeypatch):
    monkeypatch.setenv('OPENERP_SERVER', 'from-environment.conf')
    assert run.find_config_path(['-d', 'x']) == 'from-environment.conf'


def test_a_config_option_without_a_file_is_a_usage_error(capsys):
    assert cli.main(['-c']) == errors.EXIT_USAGE


@pytest.mark.parametrize('argv', [
    ['key', 'fingerprint', '-c', '/no/such/node.conf'],
    ['key', '-c', '/no/such/node.conf', 'fingerprint'],
    ['sessions', 'revoke', '--login', 'x', '-c', '/no/such/node.conf'],
])
def test_the_configuration_may_be_named_before_and_behind_a_commands_own_words(argv, capsys):
    assert cli.main(argv) == errors.EXIT_CONFIGURATION
    assert '/no/such/node.conf' in capsys.readouterr()[1]
