# -*- coding: utf-8 -*-
"""Fault 21: one process, several databases, one decimal precision. Mended in OpenERP 7.0.406."""
import pytest
from workers import Worker

from oe_cluster_launch.seams.openerp7 import local_state


@pytest.mark.parametrize('kind', ['ours', 'stock'])
def test_a_process_with_two_databases_rounds_as_each_of_them_says(kind, database, postgres):
    """Were it otherwise on this OpenERP, ours should warn of it, and docs/faults.md say so."""
    two, four = database('tpl_full'), database('tpl_full')
    postgres.query("UPDATE decimal_precision SET digits = 4 WHERE name = 'Product Price'", four)
    worker = Worker(kind, two, postgres).wait_until_ready()
    try:
        assert [price_kept(worker, each) for each in (two, four, two, four)] == [1.23, 1.2345] * 2
    finally:
        worker.stop()


def price_kept(worker, database):
    """What becomes of a price of four digits."""
    def call(*what):
        return worker.rpc('object', 'execute', database, 1, 'admin', 'product.template', *what)
    made = call('create', {'name': 'Precise', 'list_price': 1.2345})
    return call('read', [made], ['list_price'])[0]['list_price']


@pytest.fixture
def registry_of(host, postgres):
    """A function that loads a database's registry in this process."""
    manager = host.openerp.modules.registry.RegistryManager
    wanted = dict(db_host=postgres.host, db_port=postgres.port, db_user=postgres.role)
    before = {name: host.config[name] for name in wanted}
    host.config.options.update(wanted)
    yield manager.get
    manager.delete_all()
    host.close_connections()
    host.config.options.update(before)


def test_only_a_process_whose_databases_share_columns_says_so_and_once(registry_of, database, monkeypatch):
    said = []
    monkeypatch.setattr(local_state, '_warned', set())
    monkeypatch.setattr(local_state._logger, 'warning', lambda text, *values: said.append(text % values))
    first, second = (registry_of(database('tpl_full')) for _ in 'ab')
    local_state.refresh(first)
    local_state.refresh(second)
    assert said == []
    # as in an OpenERP that does not copy them
    columns = [registry['product.template']._columns for registry in (first, second)]
    columns[1]['list_price'] = columns[0]['list_price']
    for _ in range(2):
        local_state.refresh(second)
    assert len(said) == 1
    assert first.db_name in said[0] and second.db_name in said[0]
