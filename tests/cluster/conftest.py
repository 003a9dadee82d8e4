# -*- coding: utf-8 -*-
"""Fixtures for tests that talk to whole clusters from outside.

  cluster   a function: cluster(nodes=2, database='tpl_full', workers=2, settings={...}) starts
            nodes and nginx on a fresh database and a fresh Redis (see testbed.cluster.Cluster)
  stock     a function: stock(workers=2) starts the stock server, for contrast
  browser   a headless Chromium
"""
import os

import pytest
from testbed import session
from testbed.browser import Browser
from testbed.cluster import Cluster
from testbed.node import StockServer


@pytest.fixture(scope='module', autouse=True)
def no_database_left(postgres):
    """Databases that a module makes beside the fixture `database` are gone when it ends."""
    before = set(postgres.databases())
    yield
    for name in set(postgres.databases()) - before:
        postgres.drop_database(name)


@pytest.fixture
def cluster(postgres, database, redis_server_of):
    """A function that starts a cluster; `template` names the database to copy."""
    clusters = []

    def start(nodes=2, template='tpl_full', redis=None, wait=True, **more):
        made = Cluster(session.fresh_folder('cluster'), postgres, redis or redis_server_of(),
                       database(template), nodes=nodes, **more)
        clusters.append(made)
        return made.start() if wait else made
    yield start
    for made in clusters:
        made.kill_all()


@pytest.fixture
def stock(postgres, database):
    """A function that starts a stock openerp-server on a fresh database."""
    servers = []

    def start(template='tpl_full', **more):
        more.setdefault('database', None)
        more['database'] = more['database'] or database(template)
        servers.append(StockServer('stock', session.fresh_folder('stock'), postgres, **more))
        servers[-1].database = more['database']
        return servers[-1].start()
    yield start
    for server in servers:
        server.kill_all()


@pytest.fixture
def browser(session_folder):
    """A headless Chromium with a fresh profile."""
    with Browser(os.path.join(session.fresh_folder('browser'))) as started:
        yield started.start()
