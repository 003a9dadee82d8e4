# -*- coding: utf-8 -*-
"""The real OpenERP in the test's own process, without a database."""
import pytest

from oe_cluster_launch.seams.openerp7 import connections
from oe_cluster_launch.seams.openerp7.host import Host


@pytest.fixture(scope='session')
def host():
    """OpenERP 7.0 with its server-wide addons imported and none of our seams installed."""
    started = Host()
    started.read_options(['--logfile', '/dev/null'])
    started.become_multi_process()
    started.start_services()
    return started


@pytest.fixture
def sql_db(host, postgres, monkeypatch):
    """OpenERP's module of that name, at the test's PostgreSQL, whose pool makes connections of our class."""
    for option, value in dict(db_host=postgres.host, db_port=postgres.port, db_user=postgres.role).items():
        monkeypatch.setitem(host.config.options, option, value)
    module = host.openerp.sql_db
    host.close_connections()
    monkeypatch.setattr(module, 'PsycoConnection', connections.clean_connection(module.PsycoConnection, None))
    yield module
    host.close_connections()
