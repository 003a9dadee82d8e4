# -*- coding: utf-8 -*-
"""What is made of the facts: warnings, page, timeline, terminal. Pure functions."""
import json
import re

import pytest

from oe_cluster_launch.status import page, terminal
from oe_cluster_launch.status.concerns import concerns
from oe_cluster_launch.status.markup import escaped, tag
from oe_cluster_launch.status.timeline import timeline

NOW = 1700000000.0
EVIL = u'<script>alert("1")</script>\'&'

LOAD = {'requests': 123456, 'requests_failed': 3, 'requests_refused': 0, 'workers_crashed': 0,
        'workers_killed': 0, 'limit_time_real': 1, 'limit_time_cpu': 0, 'limit_memory_hard': 0,
        'limit_memory_soft': 0, 'ready': 8, 'busy': 3, 'wanted': 8, 'queued': 0, 'longest_busy_seconds': 0.4,
        'requests_per_second': 41.5, 'load_average': 1.7, 'processors': 4}
NODE = {'node': 'erp1', 'state': 'running', 'role': 'leader', 'reason': 'leads', 'term': 42,
        'cron_workers': 2, 'jobs_running': 1, 'workers': 8,
        'address': '10.0.0.11:8069', 'status_address': '10.0.0.11:9069',
        'version': '0.1.0', 'host_version': '7.0', 'databases': ['company'], 'uptime_seconds': 93600,
        'last_seen_seconds': 0.8, 'clock_skew_seconds': 0.02, 'differs': [], 'load': LOAD}
FACTS = {
    'cluster': 'oe', 'time': NOW, 'leader': 'erp1', 'term': 42, 'paused': None,
    'nodes': [NODE, dict(NODE, node='erp2', role='candidate', term=0, cron_workers=0, jobs_running=0,
                         address='10.0.0.12:8069', status_address='10.0.0.12:9069')],
    'history': [
        {'term': 42, 'node': 'erp1', 'since_ms': int((NOW - 5000) * 1000)},
        {'term': 41, 'node': 'erp2', 'since_ms': int((NOW - 9000) * 1000),
         'until_ms': int((NOW - 5010) * 1000), 'why': 'not renewed: the lease ran out'}],
    'sessions': {'count': 318, 'complete': True},
    'cache': {'workers': 16, 'hits': 99000, 'misses': 1000, 'shared_hits': 700, 'hit_rate': 99.0,
              'shared_rate': 70.0, 'logs': [{'database': 'company', 'bytes': 3400000, 'batches': 88}]},
    'redis': {'url': 'redis://10.0.0.10', 'error': None, 'findings': [], 'redis_version': '7.0.15',
              'role': 'master', 'uptime_in_seconds': 900000, 'connected_clients': 41, 'maxclients': 10000,
              'used_memory': 91000000, 'maxmemory': 1073741824, 'maxmemory_policy': 'noeviction',
              'evicted_keys': 0, 'expired_keys': 5, 'instantaneous_ops_per_sec': 730, 'keyspace_hits': 1,
              'keyspace_misses': 1, 'rejected_connections': 0, 'connected_slaves': 2, 'aof_enabled': 1,
              'aof_last_write_status': 'ok', 'rdb_last_bgsave_status': 'ok', 'rdb_last_save_time': 1,
              'milliseconds': 0.3, 'loading': 0},
}


def facts(change=None):
    """The facts of a healthy cluster, changed by a function."""
    made = json.loads(json.dumps(FACTS))
    if change:
        change(made)
    made['warnings'] = concerns(made)
    return made


def first(**changes):
    return lambda made: made['nodes'][0].update(changes)


def load(**changes):
    return lambda made: made['nodes'][0]['load'].update(changes)


def redis(**changes):
    return lambda made: made['redis'].update(changes)


def lost(made):
    made['nodes'][1] = {'node': 'erp2', 'state': 'lost', 'last_seen_seconds': 44.0, 'differs': []}


def evil(value):
    """Every text in the facts replaced by one that would be a script."""
    if isinstance(value, dict):
        return dict((key, evil(each)) for key, each in value.items())
    if isinstance(value, list):
        return [evil(each) for each in value]
    return EVIL if isinstance(value, (str, type(u''))) else value


def test_a_healthy_cluster_has_nothing_to_warn_of():
    assert facts()['warnings'] == []


@pytest.mark.parametrize('change, level, part', [
    (redis(error="Redis at x: Connection refused."), 'fail', "Connection refused"),
    (redis(findings=[{'what': "policy allkeys-lru", 'remedy': "noeviction"}]), 'warn', "allkeys-lru"),
    (redis(evicted_keys=3), 'fail', "evicted 3 keys"),
    (redis(used_memory=1000000000), 'warn', "93 %"),
    (redis(aof_last_write_status='err'), 'fail', "append-only file"),
    (lambda made: made.update(leader=None), 'fail', "No node leads cron"),
    (lambda made: made.update(leader=None, paused={'by': 'ann', 'at': 1}), 'warn', "paused by ann"),
    (lost, 'fail', "erp2 has not been heard of for 44 s"),
    (first(state='draining'), 'warn', "erp1 is draining"),
    (first(differs=['key']), 'fail', "in its key"),
    (first(differs=['addons']), 'warn', "in its addons"),
    (first(differs=['version']), 'warn', "in its version"),
    (first(version='0.2.0'), 'warn', "0.1.0, 0.2.0"),
    (first(clock_skew_seconds=-4.0), 'warn', "4.0 s behind"),
    (first(clock_skew_seconds=60.0), 'fail', "60.0 s ahead of"),
    (first(reason='must not run cron: its secret key is not that of erp2'), 'warn', "secret key"),
    (load(ready=6), 'warn', "6 of 8 HTTP workers"),
    (load(busy=8, queued=5), 'warn', "5 connections waiting"),
    (load(load_average=20.0), 'warn', "load average of 20.0 on 4"),
])
def test_every_warning_is_on_page_and_terminal_with_its_remedy(change, level, part):
    found = facts(change)
    assert [warning['level'] for warning in found['warnings']] == [level], found['warnings']
    warning = found['warnings'][0]
    assert part in warning['what']
    html, text = page.render(found, 'erp1'), terminal.render(found)
    for shown in (warning['what'], warning['remedy']):
        assert escaped(shown) in html
        assert shown.rstrip('.') in text
    assert 'class="badge %s"' % level in html


def test_the_worst_comes_first():
    def several(made):
        made['nodes'][0]['clock_skew_seconds'] = 5
        made['redis']['evicted_keys'] = 1
    assert [warning['level'] for warning in facts(several)['warnings']] == ['fail', 'warn']


def test_page_and_terminal_show_the_facts():
    html, text = page.render(facts(), 'erp1'), terminal.render(facts())
    for shown in ('erp1', 'erp2', '0.1.0', '7.0.15', '318', '99.0 %', '41.5', 'noeviction'):
        assert shown in html and shown in text, shown
    assert 'erp1 leads' in html and 'term 42' in html and 'erp1 leads cron, term 42' in text
    assert html.count('<i class="busy"></i>') == 6, "three busy workers on each node"
    assert '123,456' in html and '86.8 MB' in html


def test_no_text_of_the_facts_becomes_markup():
    html = page.render(evil(facts(lost)), EVIL)
    assert html.count('<script>') == 1 and 'alert(' in html
    assert 'alert("1")' not in html
    assert '"' not in re.sub(r'"[^"]*"', '', re.sub(r'<(style|script)>.*?</\1>', '', html, flags=re.S))


def test_the_page_loads_nothing_and_allows_only_its_own_style_and_script():
    html = page.render(facts(), 'erp1')
    assert not re.search(r'(src|href|url)\s*[=(]\s*["\']?https?://(?!10\.0\.0\.1[12]:9069)', html)
    assert ' style=' not in html and not re.search(r' on\w+=', html)
    policy = page.CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in policy and 'unsafe' not in policy and policy.count('sha256-') == 2


def test_without_redis_there_is_still_a_page():
    found = facts(lambda made: made.update(nodes=[], history=[], sessions=None, cache=None, redis={
        'url': 'redis://x', 'error': 'Redis at x: away', 'findings': []}))
    assert 'Redis at x: away' in page.render(found, 'a') and 'Redis is away' in terminal.render(found)
    json.dumps(found)


def test_an_empty_cluster_and_a_node_of_an_older_version_are_no_error():
    page.render(facts(lambda made: made.update(nodes=[], history=[], sessions=None, cache=None)), 'a')

    def old(made):
        made['nodes'] = [{'node': 'x', 'state': 'running', 'last_seen_seconds': 1.0, 'differs': []}]
    assert 'x' in page.render(facts(old), 'a')
    terminal.render(facts(old))


def bars(html):
    """(left, width) of each bar, in per cent."""
    found = re.findall(r'<rect class="bar[^>]* width="([\d.]+)%" x="([\d.]+)%"', html)
    return [(float(left), float(width)) for width, left in found]


def test_the_timeline_has_a_bar_per_term_and_a_gap_where_nobody_led():
    html = escaped(timeline(FACTS['history'], NOW, ['erp1', 'erp2']))
    (left_old, width_old), (left_new, width_new) = bars(html)
    span = 6 * 3600.0
    assert abs(left_new + width_new - 100) < 0.1, "the present term reaches until now"
    assert abs(width_new - 100 * 5000 / span) < 0.1
    assert abs(left_new - (left_old + width_old) - 100 * 10 / span) < 0.05, "a gap of ten seconds"
    assert 'not renewed: the lease ran out' in html
    assert html.count('class="key"') == 2


def test_the_timeline_cuts_what_is_too_old_and_survives_nothing():
    assert bars(escaped(timeline([], NOW, []))) == []
    old = [{'term': number, 'node': 'a', 'since_ms': int((NOW - 100 * number) * 1000),
            'until_ms': int((NOW - 100 * number + 90) * 1000)} for number in range(1, 40)]
    found = bars(escaped(timeline(old, NOW, ['a'])))
    assert len(found) == 6, "ten minutes are shown"
    assert all(left >= 0 and left + width <= 100.1 for left, width in found)


def test_markup_escapes_text_and_attributes():
    assert escaped(tag('a', EVIL, u'\u00e9', href='"><', title=None)) == (
        u'<a href="&quot;&gt;&lt;">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;\u00e9</a>')
