# -*- coding: utf-8 -*-
"""What one process remembers of a database, and how it forgets it without telling anyone.

OpenERP's clear methods do two things at once: drop this process's memory and
mark the database as changed for all others. Here is only the first: cached
answers, the menus' cache, the workflow service's, the precision of numbers.
"""
import logging

from oe_cluster_launch.ormcache.local import level_of

_logger = logging.getLogger(__name__)
_warned = set()


def drop(registry):
    """Forget every cached answer of a database in this process."""
    level_of(registry.db_name).drop()
    for model in registry.models.values():
        if '_ormcache' in model.__dict__:
            model._ormcache = {}
    menus = registry.models.get('ir.ui.menu')
    if menus is not None:
        with menus.cache_lock:
            menus._cache = {}
    _workflow_service().wkf_on_create_cache.pop(registry.db_name, None)


def refresh(registry):
    """Forget every cached answer, and read anew what OpenERP derives from them."""
    drop(registry)
    cursor = registry.db.cursor()
    try:
        for model in registry.models.values():
            for column in model._columns.values():
                if hasattr(column, 'digits_change'):
                    column.digits_change(cursor)
    finally:
        cursor.close()
    _warn_of_shared_digits(registry)


def _warn_of_shared_digits(registry):
    """An OpenERP may have one column object, and one precision, for all databases (fault 21).

    7.0.406 copies columns of numbers for each registry, so that there is nothing to warn of.
    """
    from openerp.modules.registry import RegistryManager
    others = [other for other in RegistryManager.registries.values() if other is not registry]
    if _warned or not others:
        return
    mine = set(map(id, _computed_digits(registry)))
    for other in others:
        if mine.intersection(map(id, _computed_digits(other))):
            _warned.add(registry.db_name)
            _logger.warning(
                "This process serves the databases %s and %s. This OpenERP keeps one decimal precision per "
                "field and process: give databases whose decimal precisions differ nodes of their own "
                "(dbfilter).", other.db_name, registry.db_name)
            return


def _computed_digits(registry):
    """The columns whose precision a database decides."""
    return [column for model in registry.models.values() for column in model._columns.values()
            if getattr(column, 'digits_compute', None)]


def _workflow_service():
    from openerp import netsvc
    return netsvc.LocalService('workflow')
