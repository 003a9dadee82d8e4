# -*- coding: utf-8 -*-
"""conf/ and systemd/ say what the code does."""
import os
import re

from oe_cluster_launch import errors
from oe_cluster_launch.settings import TABLE, load_settings

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read(*path):
    with open(os.path.join(PROJECT, *path), encoding='utf-8') as source:
        return source.read()


def cluster_section():
    return read('conf', 'node.conf').split('\n[cluster]\n')[1]


def directive(name):
    """The value of a directive of the unit."""
    return re.search(r'^%s=(.*)$' % name, read('systemd', 'oe-cluster@.service'), re.MULTILINE).group(1)


def test_node_conf_is_accepted_as_it_is():
    path = os.path.join(PROJECT, 'conf', 'node.conf')
    assert load_settings(path, {}).path == path


def test_node_conf_lists_every_setting_once_and_no_other():
    section = cluster_section()
    assert sorted(re.findall(r'^#?(\w+) =', section, re.MULTILINE)) == sorted(row.name for row in TABLE)


def test_what_node_conf_comments_out_is_the_default():
    section = cluster_section()
    example_only = {'user', 'group', 'redis_sentinels', 'redis_tls_ca_file', 'trusted_proxies'}
    for row in TABLE:
        match = re.search(r'^#%s =(.*)$' % row.name, section, re.MULTILINE)
        if match and row.name not in example_only:
            assert match.group(1).strip() == (row.default or ''), row.name


def test_the_unit_does_not_restart_what_does_not_mend_itself():
    assert [int(code) for code in directive('RestartPreventExitStatus').split()] == [
        errors.EXIT_USAGE, errors.EXIT_NO_PERMISSION, errors.EXIT_CONFIGURATION]


def test_the_unit_waits_longer_than_the_launcher_takes_to_stop():
    settings = load_settings(os.path.join(PROJECT, 'conf', 'node.conf'), {})
    assert int(directive('TimeoutStopSec')) > settings.drain_seconds + settings.graceful_timeout
