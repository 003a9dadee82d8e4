# -*- coding: utf-8 -*-
"""Fault 21: one process, several databases, one decimal precision per field. Told, once."""
import pytest

from oe_cluster_launch.seams.openerp7 import local_state


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


def test_a_process_with_two_databases_says_once_that_they_share_precisions(
        registry_of, database, monkeypatch):
    said = []
    monkeypatch.setattr(local_state, '_warned', set())
    monkeypatch.setattr(local_state._logger, 'warning', lambda text, *values: said.append(text % values))
    first, second = database('tpl_full'), database('tpl_full')
    local_state.refresh(registry_of(first))
    assert said == []
    for _ in range(2):
        local_state.refresh(registry_of(second))
    assert len(said) == 1
    assert first in said[0] and second in said[0]
