# -*- coding: utf-8 -*-
"""The real OpenERP in the test's own process, without a database."""
import pytest

from oe_cluster_launch.seams.openerp7.host import Host


@pytest.fixture(scope='session')
def host():
    """OpenERP 7.0 with its server-wide addons imported and none of our seams installed."""
    started = Host()
    started.read_options(['--logfile', '/dev/null'])
    started.become_multi_process()
    started.start_services()
    return started
