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
        cursor.commit()
    finally:
        cursor.close()
    _warn_of_shared_digits(registry)


def _warn_of_shared_digits(registry):
    """Columns are objects of the process: the precision read last holds for all its databases."""
    from openerp.modules.registry import RegistryManager
    names = sorted(RegistryManager.registries)
    if len(names) > 1 and 'decimal.precision' in registry.models and not _warned:
        _warned.add(registry.db_name)
        _logger.warning(
            "This process serves several databases (%s). OpenERP keeps one decimal precision per field and "
            "process: give databases whose decimal precisions differ nodes of their own (dbfilter).",
            ', '.join(names))


def _workflow_service():
    from openerp import netsvc
    return netsvc.LocalService('workflow')
