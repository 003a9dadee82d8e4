# -*- coding: utf-8 -*-
"""Fixtures that hand real services to tests. Valid on Python 2.7 and Python 3.

Nothing here skips: what is missing fails, with a sentence that says what to run.

  postgres          the session's PostgreSQL, with the templates tpl_base and tpl_full
  database          a function: database('tpl_full') creates a copy, gone after the test
  redis_server      a fresh Redis on a Unix socket, for one test
  redis_server_of   a function: redis_server_of(password='x', tcp=True ...), for one test
  certificates      an authority and a server certificate for 127.0.0.1
  sentinel_trio     a Redis master, a replica and three Sentinels, for one test
"""
import os

import pytest
from testbed import certificates as certificates_module
from testbed import golden, sentinel, service, session
from testbed.postgres import Postgres, database_name
from testbed.redis_server import RedisServer


@pytest.fixture(scope='session')
def session_folder():
    """The folder of this test session."""
    folder = session.begin()
    yield folder
    service.kill_all_services()


@pytest.fixture(scope='session')
def empty_postgres(session_folder):
    """A PostgreSQL without OpenERP's databases: enough for tests without OpenERP."""
    server = Postgres(os.path.join(session_folder, 'empty')).start()
    server.create_role()
    yield server
    server.discard()


@pytest.fixture(scope='session')
def postgres(session_folder):
    """The session's PostgreSQL, with the databases tpl_base and tpl_full to copy."""
    server = Postgres(os.path.join(session_folder, 'postgres'), golden.data()).start()
    yield server
    server.discard()


@pytest.fixture
def database(request, postgres):
    """A function that creates a database from a template: modules, demo data, admin/admin."""
    created = []

    def create(template='tpl_full'):
        name = '%s_%d' % (database_name(request.node.name), len(created))
        created.append(postgres.create_database(name, template))
        return name
    yield create
    for name in created:
        if postgres.is_running():
            postgres.drop_database(name)


@pytest.fixture
def redis_server_of(session_folder):
    """A function that starts a Redis with the given properties (see RedisServer)."""
    servers = []

    def start(**properties):
        servers.append(RedisServer(session.fresh_folder('redis'), **properties))
        return servers[-1].start()
    yield start
    for server in servers:
        server.kill_all()


@pytest.fixture
def redis_server(redis_server_of):
    """A fresh, empty Redis on a Unix socket."""
    return redis_server_of()


@pytest.fixture(scope='session')
def certificates(session_folder):
    """A certificate authority and a certificate for 127.0.0.1 and localhost."""
    return certificates_module.Certificates(os.path.join(session_folder, 'tls'))


@pytest.fixture
def sentinel_trio(session_folder):
    """A Redis master with a replica and three Sentinels."""
    trio = sentinel.SentinelTrio(session.fresh_folder('trio'))
    yield trio.start()
    trio.kill_all()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the end of every service's log below a test that failed."""
    report = (yield).get_result()
    if report.when == 'call' and report.failed:
        for running in service.alive():
            report.sections.append(('log of ' + running.name, running.log_tail(25)))
