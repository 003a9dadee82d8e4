# -*- coding: utf-8 -*-
"""Every row of the table against the real OpenERP: it fits, goes in, comes out, refuses others."""

import pytest

from oe_cluster_launch.errors import HostMismatch
from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.seams.openerp7.table import SEAMS
from oe_cluster_launch.seams.seam import AFTER_ADDONS, BEFORE_ADDONS, SeamTable
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store

each_seam = pytest.mark.parametrize('seam', SEAMS, ids=[seam.name for seam in SEAMS])


class Context(object):
    """What boot.Node hands to the seams. Redis is not asked for anything here."""

    name = 'a'

    def __init__(self, host, settings):
        self.host = host
        self.settings = settings
        self.store = Store(settings)
        self.sealing = Sealing(None, [key_file.new_key()])


@pytest.fixture
def context(host):
    return Context(host, load_settings(None, {'OE_CLUSTER_REDIS_URL': 'unix:///nowhere.sock'}))


def stored(seam):
    """The attribute as its holder stores it, so that a classmethod is not bound anew."""
    holder, name = seam.find()
    return vars(holder).get(name, 'inherited')


def test_the_table_is_not_empty_and_names_are_unique():
    assert SEAMS
    assert len({seam.name for seam in SEAMS}) == len(SEAMS)


@each_seam
def test_every_seam_says_why_and_belongs_to_a_phase(seam):
    assert len(seam.why) > 20
    assert seam.phase in (BEFORE_ADDONS, AFTER_ADDONS)


@each_seam
def test_the_real_host_has_the_shape_the_seam_expects(host, seam):
    assert seam.fault() is None
    assert not seam.absent()


@each_seam
def test_a_seam_goes_in_and_comes_out_without_a_trace(host, context, seam):
    before = stored(seam)
    table = SeamTable([seam])
    table.install(seam.phase, context)
    assert len(table.installed) == 1
    assert stored(seam) is not before
    table.remove()
    assert stored(seam) is before


@each_seam
def test_another_shape_is_refused_and_nothing_is_changed(host, context, seam, monkeypatch):
    class Foreign(object):
        def __call__(self, one, two, three, four, five, six):
            pass
    holder, name = seam.find()
    foreign = Foreign()
    monkeypatch.setattr(holder, name, foreign)
    with pytest.raises(HostMismatch) as caught:
        SeamTable([seam]).install(seam.phase, context)
    assert seam.name in str(caught.value)
    assert getattr(holder, name) is foreign


def test_all_seams_together_go_in_and_come_out(host, context):
    before = [stored(seam) for seam in SEAMS]
    table = SeamTable(SEAMS)
    table.install(BEFORE_ADDONS, context)
    table.install(AFTER_ADDONS, context)
    assert len(table.installed) == len(SEAMS)
    table.remove()
    assert [stored(seam) for seam in SEAMS] == before


def test_the_boot_refuses_another_version_of_the_host(host, monkeypatch):
    from oe_cluster_launch.seams.openerp7 import options
    monkeypatch.setattr(host.openerp.release, 'version_info', (6, 1, 0, 'final', 0))
    with pytest.raises(HostMismatch):
        options.import_host()


def test_connections_are_closed_in_place_before_a_fork(host, postgres, database):
    name = database('tpl_base')
    config = host.config
    config.options.update(db_host=postgres.host, db_port=postgres.port, db_user=postgres.role)
    cursor = host.openerp.sql_db.db_connect(name).cursor()
    cursor.execute('SELECT 1')
    connection = cursor._cnx
    cursor.close()
    pool = host.openerp.sql_db._Pool
    assert pool._connections
    host.close_connections()
    assert connection.closed
    assert pool._connections == []
    assert host.openerp.sql_db._Pool is pool
