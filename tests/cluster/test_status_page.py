# -*- coding: utf-8 -*-
"""The status page in a real browser, its JSON, and `oe-cluster-launch top`: one cluster, the same facts.

PICTURES=FOLDER keeps what the browser has shown, for people to look at.
"""
import json
import os
import signal
import subprocess

import pytest
from testbed import paths, running, session
from testbed.browser import Browser
from testbed.clients import WebClient
from testbed.cluster import Cluster
from testbed.redis_server import RedisServer
from testbed.waiting import wait_until


@pytest.fixture(scope='module')
def pair(postgres):
    database = postgres.create_database('status', 'tpl_base')
    redis = RedisServer(session.fresh_folder('redis')).start()
    with Cluster(session.fresh_folder('cluster'), postgres, redis, database,
                 settings={'cron_lease_ttl': '6s', 'cron_renew_interval': '1s', 'cron_lease_margin': '1s',
                           'member_ttl': '4s'}) as made:
        made.start()
        WebClient(made.url, made.database).log_in()
        wait_until(lambda: len(facts(made)['nodes']) == 2 and facts(made)['leader'], 20, "one leads")
        yield made
    redis.kill_all()


@pytest.fixture(scope='module')
def browser(session_folder):
    with Browser(session.fresh_folder('browser')) as started:
        yield started.start()


def facts(made):
    return json.loads(made.node('a').status('/_cluster/status')[2])


def address(made):
    return 'http://127.0.0.1:%d/_cluster/' % made.node('a').status_port


def picture(browser, name):
    if os.environ.get('PICTURES'):
        browser.picture(os.path.join(os.environ['PICTURES'], name + '.png'))


def test_page_json_and_top_tell_the_same(pair, browser):
    found = facts(pair)
    assert [node['node'] for node in found['nodes']] == ['a', 'b']
    assert all(node['load']['ready'] == 2 and node['load']['requests'] > 0 for node in found['nodes'])
    assert all(abs(node['clock_skew_seconds']) < 2 for node in found['nodes'])
    wait_until(lambda: facts(pair)['sessions']['count'] >= 1, 20, "the session that logged in is counted")
    browser.open(address(pair))
    text = browser.text()
    for shown in ('Cluster oe', '%s leads, term %d' % (found['leader'], found['term']), 'of 2 workers busy',
                  'Redis ' + found['redis']['redis_version'], 'Sessions', 'ormcache'):
        assert shown in text, (shown, text)
    assert browser.run("return document.querySelectorAll('svg .bar').length") == len(found['history'])
    top = subprocess.check_output([paths.python27('oe-cluster-launch'), 'top', '--once', '-c',
                                   pair.node('b').configuration_path]).decode()
    assert '%s leads cron, term %d' % (found['leader'], found['term']) in top
    answer = pair.node('a').get('/_cluster/')
    assert answer == 200, "an HTTP worker shows it on the main port, too"


@pytest.mark.parametrize('name, width, height, phone', [
    ('desktop', 1280, 900, False), ('phone', 390, 844, True), ('small', 320, 568, True)])
def test_nothing_is_wider_than_the_screen_in_either_scheme(pair, browser, name, width, height, phone):
    grounds = []
    for scheme in ('light', 'dark'):
        browser.device(width, height, phone, scheme)
        browser.open(address(pair))
        assert browser.run("return document.documentElement.scrollWidth") <= width
        grounds.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
        picture(browser, '%s-%s' % (name, scheme))
    assert grounds[0] != grounds[1]


def test_the_page_renews_itself_and_shows_trouble(pair, browser):
    """Also: no policy violation, no error and no other request was made."""
    browser.device(1280, 900)
    browser.open(address(pair))
    browser.console()
    browser.run("window.unchanged = 42")
    agents = [pid for pid, title in pair.node('b').titles().items() if ' cron agent ' in title]
    running.send(agents, signal.SIGSTOP)
    try:
        wait_until(lambda: 'Node b has not been heard of' in browser.text(), 20, "the page says so by itself")
        assert browser.run("return document.title").startswith('(trouble)')
        assert 'live, every' in browser.run("return document.getElementById('fresh').textContent")
        picture(browser, 'trouble')
    finally:
        running.send(agents, signal.SIGCONT)
    assert browser.run("return window.unchanged") == 42, "without loading the page again"
    wait_until(lambda: 'has not been heard of' not in browser.text(), 20, "and that it is over")
    loaded = browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
    assert set(loaded) == {address(pair)}, loaded
    assert [line for line in browser.console() if 'favicon' not in line] == []
