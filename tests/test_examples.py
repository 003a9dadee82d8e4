# -*- coding: utf-8 -*-
"""conf/ and systemd/ say what the code does."""
import glob
import json
import os
import re
import subprocess
import sys

import pytest
import yaml

from oe_cluster_launch import errors
from oe_cluster_launch.metrics import table
from oe_cluster_launch.settings import TABLE, load_settings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'docs'))
from generate_examples import examples  # noqa: E402

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
    example_only = {'user', 'group', 'redis_sentinels', 'redis_tls_ca_file', 'statsd_host', 'trusted_proxies'}
    for row in TABLE:
        match = re.search(r'^#%s =(.*)$' % row.name, section, re.MULTILINE)
        if match and row.name not in example_only:
            assert match.group(1).strip() == (row.default or ''), row.name


def test_the_unit_does_not_restart_what_does_not_mend_itself():
    assert [int(code) for code in directive('RestartPreventExitStatus').split()] == [
        errors.EXIT_USAGE, errors.EXIT_NO_PERMISSION, errors.EXIT_CONFIGURATION]


@pytest.mark.parametrize('path', sorted(examples()))
def test_the_example_is_what_the_command_prints(path):
    assert read(path) == examples()[path], "run: python3 docs/generate_examples.py"


@pytest.fixture(scope='module')
def units(tmp_path_factory):
    """A folder with the units as shipped, starting a program that is there."""
    folder = tmp_path_factory.mktemp('units')
    for path in glob.glob(os.path.join(PROJECT, 'systemd', '*')):
        text = read(path).replace('/opt/oe-cluster/bin/oe-cluster-launch', '/usr/bin/env')
        (folder / os.path.basename(path)).write_text(text)
    return [str(path) for path in sorted(folder.iterdir())]


def analyze(*words):
    done = subprocess.run(('systemd-analyze', '--no-pager') + words, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, timeout=60)
    return done.returncode, done.stdout


def test_systemd_finds_nothing_wrong_with_the_units(units):
    assert len(units) == 3
    assert analyze('verify', '--man=no', *units) == (0, '')


def test_the_units_exposure_is_below_2(units):
    service = [path for path in units if path.endswith('.service')]
    code, printed = analyze('security', '--offline=true', '--threshold=20', *service)
    assert code == 0, printed


def granted_commands():
    """The commands that the ACL user of conf/redis.conf may use."""
    rule = re.search(r'^user oe-cluster (.*)$', read('conf', 'redis.conf'), re.MULTILINE).group(1)
    words = rule.split()
    assert words[2:7] == ['resetkeys', '~oe:*', 'resetchannels', '&oe:*', '-@all']
    assert all(re.match(r'\+[a-z|]+$', word) for word in words[7:])
    return {word[1:] for word in words[7:]}


#: what redis-py sends by itself: log-in, database, transactions, its pool's question, subscriptions
OF_THE_CLIENT = {'ping', 'select', 'multi', 'exec', 'discard', 'unsubscribe', 'evalsha', 'eval'}
#: commands whose method has another name
METHODS = {'del': 'delete', 'scan': 'scan_iter'}


def test_the_redis_user_may_do_what_scripts_do_and_no_more_than_the_code_asks():
    scripts = ''.join(read(path) for path in glob.glob(os.path.join(
        PROJECT, 'oe_cluster_launch', 'store', 'lua', '*.lua')))
    called = {name.lower() for name in re.findall(r"redis\.p?call\('(\w+)'", scripts)}
    assert called - granted_commands() == set()
    sources = ''.join(read(folder, name) for folder, _, names in os.walk(
        os.path.join(PROJECT, 'oe_cluster_launch')) for name in names if name.endswith('.py'))
    unused = {name for name in granted_commands() - called - OF_THE_CLIENT
              if '.%s(' % METHODS.get(name, name) not in sources}
    assert unused == set()


def test_the_unit_waits_longer_than_the_launcher_takes_to_stop():
    settings = load_settings(os.path.join(PROJECT, 'conf', 'node.conf'), {})
    assert int(directive('TimeoutStopSec')) > settings.drain_seconds + settings.graceful_timeout


def alerts():
    rules = yaml.safe_load(read('conf', 'oe-cluster.rules.yml'))
    return [rule for group in rules['groups'] for rule in group['rules']]


def panels():
    return [panel for panel in json.loads(read('conf', 'grafana-dashboard.json'))['panels']
            if panel['type'] != 'row']


def expressions():
    """Every PromQL expression in conf/; tests/cluster/test_metrics.py compares them with a real node."""
    return ([alert['expr'] for alert in alerts()]
            + [target['expr'] for panel in panels() for target in panel['targets']])


def test_every_alert_says_who_suffers_and_what_to_do():
    names = [alert['alert'] for alert in alerts()]
    assert len(names) == len(set(names)) and len(names) >= 15
    for alert in alerts():
        assert alert['labels']['severity'] in ('page', 'ticket'), alert
        assert alert['annotations']['summary'] and alert['annotations']['description'], alert


def test_the_scrape_configuration_asks_the_status_port_for_the_metrics_and_loads_the_rules():
    configuration = yaml.safe_load(read('conf', 'prometheus.yml'))
    assert configuration['rule_files'] == ['oe-cluster.rules.yml']
    job, = configuration['scrape_configs']
    assert job['metrics_path'] == '/_cluster/metrics'
    assert all(target.endswith(':9069') for target in job['static_configs'][0]['targets'])
    jobs = set(re.findall(r'job="([^"]+)"', ' '.join(expressions())))
    assert jobs == {job['job_name']}


def test_the_dashboard_shows_every_metric():
    everything = ' '.join(expressions())
    for family in table.SHOWN:
        if family.name != 'oe_cluster_ready_timestamp_seconds':
            assert family.name in everything, family.name


def test_panels_do_not_overlap():
    places = set()
    for panel in panels():
        at = panel['gridPos']
        cells = set((x, y) for x in range(at['x'], at['x'] + at['w'])
                    for y in range(at['y'], at['y'] + at['h']))
        assert not cells & places and at['x'] + at['w'] <= 24, panel['title']
        places |= cells
