# -*- coding: utf-8 -*-
"""The settings table and its loader: origins, kinds, and all faults at once."""
import io

import pytest

from oe_cluster_launch.errors import EXIT_CONFIGURATION, ConfigurationError
from oe_cluster_launch.settings import TABLE, load_settings


@pytest.fixture
def node_conf(tmpdir):
    """Writes a node.conf from a text and returns its path."""
    def write(text):
        path = str(tmpdir.join('node.conf'))
        with io.open(path, 'w', encoding='utf-8') as target:
            target.write(u'' + text)
        return path
    return write


def faults_of(path=None, environ=None):
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path, environ or {})
    assert caught.value.exit_code == EXIT_CONFIGURATION
    return {fault.key: fault for fault in caught.value.faults}


def test_every_default_is_accepted_by_its_own_kind():
    settings = load_settings(None, {})
    for row in TABLE:
        assert settings.origin(row.name) == 'default'
        if row.default is not None:
            assert getattr(settings, row.name) == row.kind.parse(row.default)


def test_every_row_says_what_it_is_for():
    for row in TABLE:
        assert row.help.endswith('.'), row.name
        assert row.group, row.name
    assert len({row.name for row in TABLE}) == len(TABLE)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(node_conf):
    path = node_conf("[cluster]\nsession_ttl = 2d\nnode_name = from-file\n")
    settings = load_settings(path, {'OE_CLUSTER_NODE_NAME': 'from-environment'})
    assert settings.node_name == 'from-environment'
    assert settings.origin('node_name') == 'environment OE_CLUSTER_NODE_NAME'
    assert settings.session_ttl == 2 * 86400
    assert settings.origin('session_ttl') == path
    assert settings.origin('redis_prefix') == 'default'


@pytest.mark.parametrize('variable, value, name, expected', [
    ('ODOO_SESSION_REDIS_URL', 'redis://cache:7000/3', 'redis_url', 'redis://cache:7000/3'),
    ('ODOO_SESSION_REDIS_HOST', 'cache', 'redis_url', 'redis://cache:6379/0'),
    ('ODOO_SESSION_REDIS_PORT', '7000', 'redis_url', 'redis://localhost:7000/0'),
    ('ODOO_SESSION_REDIS_PASSWORD', 'secret', 'redis_password', 'secret'),
    ('ODOO_SESSION_REDIS_PREFIX', 'erp', 'redis_prefix', 'erp'),
    ('ODOO_SESSION_REDIS_EXPIRATION', '3600', 'session_ttl', 3600),
    ('ODOO_SESSION_REDIS_EXPIRATION_ANONYMOUS', '600', 'session_anonymous_ttl', 600),
    ('ODOO_SESSION_REDIS_SENTINEL_HOST', 'watch', 'redis_sentinels', (('watch', 26379),)),
    ('ODOO_SESSION_REDIS_SENTINEL_MASTER_NAME', 'erp', 'redis_sentinel_master', 'erp'),
])
def test_the_established_session_variables_are_honoured(variable, value, name, expected):
    assert getattr(load_settings(None, {variable: value}), name) == expected


def test_our_own_variable_wins_over_the_established_one():
    settings = load_settings(None, {'OE_CLUSTER_REDIS_URL': 'redis://ours:1/0',
                                    'ODOO_SESSION_REDIS_URL': 'redis://theirs:1/0',
                                    'ODOO_SESSION_REDIS_HOST': 'theirs'})
    assert settings.redis_url == 'redis://ours:1/0'


def test_sentinel_host_and_port_make_one_sentinel():
    settings = load_settings(None, {'ODOO_SESSION_REDIS_SENTINEL_HOST': 'watch',
                                    'ODOO_SESSION_REDIS_SENTINEL_PORT': '5000'})
    assert settings.redis_sentinels == (('watch', 5000),)


def test_all_faults_are_reported_at_once_with_key_value_accepted_and_remedy(node_conf):
    path = node_conf("[cluster]\nsession_ttl = soon\nbacklog = 7\nsession_tll = 5\n"
                     "redis_url = http://cache\npreload = perhaps\n")
    faults = faults_of(path, {'OE_CLUSTER_REDIS_TIMEOUT': '9h', 'OE_CLUSTER_NODENAME': 'x'})
    assert set(faults) == {'session_ttl', 'backlog', 'session_tll', 'redis_url', 'preload',
                           'redis_timeout', 'OE_CLUSTER_NODENAME'}
    assert faults['session_ttl'].value == 'soon'
    assert '7d' in faults['session_ttl'].accepted
    assert path in faults['session_ttl'].remedy
    assert 'session_ttl' in faults['session_tll'].remedy
    assert 'OE_CLUSTER_NODE_NAME' in faults['OE_CLUSTER_NODENAME'].remedy
    assert 'OE_CLUSTER_REDIS_TIMEOUT' in faults['redis_timeout'].remedy


def test_what_could_be_read_is_handed_on_with_the_faults(node_conf):
    with pytest.raises(ConfigurationError) as caught:
        load_settings(node_conf("[cluster]\nuser = erp\nsession_ttl = x\n"), {})
    assert caught.value.settings.user == 'erp'
    assert caught.value.settings.session_ttl is None


@pytest.mark.parametrize('text, seconds', [
    ('90', 90), ('90s', 90), ('2m', 120), ('2h', 7200), ('7d', 604800), ('1w', 604800), ('120.5', 120.5)])
def test_durations_are_kept_in_seconds(text, seconds):
    assert load_settings(None, {'OE_CLUSTER_SESSION_TTL': text}).session_ttl == seconds


@pytest.mark.parametrize('text', ['', ' ', '7 weeks', '-5', '0x10', '5e3', 'inf', 'nan'])
def test_what_is_no_duration_is_refused_and_blank_means_the_default(text):
    if not text.strip():
        path_settings = load_settings(None, {'OE_CLUSTER_SESSION_TTL': ''})
        assert path_settings.origin('session_ttl') == 'default'
        return
    assert 'session_ttl' in faults_of(environ={'OE_CLUSTER_SESSION_TTL': text})


@pytest.mark.parametrize('url', [
    'http://x', 'redis://', 'redis://host:notaport/0', 'redis://host/one', 'unix://relative', 'host:6379'])
def test_what_is_no_redis_url_is_refused_without_showing_it(url):
    fault = faults_of(environ={'OE_CLUSTER_REDIS_URL': url})['redis_url']
    assert fault.value == '***'


def test_no_secret_is_ever_shown():
    settings = load_settings(None, {'OE_CLUSTER_REDIS_URL': 'redis://u:hidden@h:1/0',
                                    'OE_CLUSTER_REDIS_PASSWORD': 'hidden',
                                    'OE_CLUSTER_REDIS_SENTINEL_PASSWORD': 'hidden'})
    shown = ' '.join(settings.shown(row.name) for row in TABLE)
    assert 'hidden' not in shown
    assert 'redis://u:***@h:1/0' in shown


def test_a_single_per_cent_sign_is_a_fault_with_a_remedy(node_conf):
    faults = faults_of(node_conf("[cluster]\nredis_password = 100%sure\n"))
    assert '%%' in faults['redis_password'].remedy


def test_a_doubled_per_cent_sign_is_one(node_conf):
    path = node_conf("[cluster]\nredis_password = 100%%sure\n")
    assert load_settings(path, {}).redis_password == '100%sure'


@pytest.mark.parametrize('text', ["no section\n", "[cluster\n", "[cluster]\nno value at all\n= x\n"])
def test_a_file_that_is_no_ini_file_is_one_fault(node_conf, text):
    assert '-c' in faults_of(node_conf(text))


def test_a_file_that_is_not_there_is_one_fault(tmpdir):
    assert 'No such file' in faults_of(str(tmpdir.join('absent.conf')))['-c'].accepted


def test_a_file_without_our_section_means_defaults(node_conf):
    assert load_settings(node_conf("[options]\nworkers = 2\n"), {}).redis_prefix == 'oe'


def test_settings_cannot_be_changed_by_accident():
    settings = load_settings(None, {})
    with pytest.raises(AttributeError):
        settings.redis_prefix = 'other'
    changed = settings.replace(redis_prefix='other')
    assert (settings.redis_prefix, changed.redis_prefix) == ('oe', 'other')
    with pytest.raises(AttributeError):
        settings.replace(no_such_setting=1)
