# -*- coding: utf-8 -*-
"""OpenERP's ormcache decorators, and the caches of its own that no ormcache is.

The decorators are replaced before any addon is imported, in the three modules
that hold them. `openerp.tools.cache` as an attribute is the class, not the
module, so owners are named as modules. Models and their fields that are
changed in memory before a commit are noted, to be undone after a rollback.
"""
from oe_cluster_launch.ormcache import decorator, local, request
from oe_cluster_launch.seams.openerp7 import shared_answers
from oe_cluster_launch.seams.seam import AFTER_ADDONS, BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Class, Function

_DECORATOR = dict(__call__=('self', 'm'), stat=('self',), lru=('self', 'self2'),
                  lookup=('self', 'self2', 'cr', '*args'), clear=('self', 'self2', '*args'))
_ONE = Class(__init__=('self', 'skiparg', 'size', 'multi', 'timeout'), **_DECORATOR)
_MULTI = Class(__init__=('self', 'skiparg', 'size', 'multi'), **_DECORATOR)
_NAMES = (('ormcache', _ONE, decorator.ormcache), ('cache', _ONE, decorator.ormcache),
          ('ormcache_multi', _MULTI, decorator.ormcache_multi))


def _decorator_seams():
    for module in ('openerp.tools.cache', 'openerp.tools.misc', 'openerp.tools'):
        for name, shape, replacement in _NAMES:
            yield Seam('%s in %s' % (name, module), module, name, shape, _replacement(replacement),
                       "answers would be kept before they are committed, and shared by nobody",
                       phase=BEFORE_ADDONS, setting='local_ormcache')


def _replacement(kind):
    def replace(original, context):
        local.Level.limit = context.settings.ormcache_entries
        shared_answers.bind(context)
        return kind
    return replace


def flagging_menus(original, context):
    """OpenERP tells the others only if this worker holds menus (fault 6)."""
    def clear_cache(self):
        result = original(self)
        request.current().database(self.pool.db_name).clear()
        return result
    return clear_cache


def flagging_workflow(original, context):
    """OpenERP tells nobody (fault 10)."""
    def clear_cache(self, cr, uid):
        result = original(self, cr, uid)
        request.current().database(cr.dbname).clear()
        return result
    return clear_cache


def noting_models(original, context):
    """Models change in memory before the commit: remember to undo it after a rollback (fault 8)."""
    def method(self, cr, *args, **kwargs):
        request.current().database(cr.dbname).models_touched = True
        return original(self, cr, *args, **kwargs)
    method.__name__ = original.__name__
    return method


def reregistering_reports(original, context):
    """Report services made for a database by its last registry are made anew (fault 16)."""
    made_for = {}

    def register_all(self, cr):
        from openerp import netsvc
        services = netsvc.Service._services
        for name, service in made_for.pop(cr.dbname, {}).items():
            if services.get(name) is service:
                del services[name]
        before = dict(services)
        result = original(self, cr)
        made_for[cr.dbname] = dict((name, service) for name, service in services.items()
                                   if before.get(name) is not service)
        return result
    return register_all


_MODEL = 'openerp.addons.base.ir.ir_model'
_UNDO = "after a rollback this worker would go on with columns that do not exist"

SEAMS = list(_decorator_seams()) + [
    Seam('menus', 'openerp.addons.base.ir.ir_ui_menu', 'ir_ui_menu.clear_cache', Function('self'),
         flagging_menus, "a worker that holds no menus would not tell the others to forget theirs"),
    Seam('workflows', 'openerp.workflow.wkf_service', 'workflow_service.clear_cache',
         Function('self', 'cr', 'uid'), flagging_workflow,
         "a new workflow would start on the worker where it was made, and on no other"),
    Seam('custom model', _MODEL, 'ir_model.create',
         Function('self', 'cr', 'user', 'vals', 'context'), noting_models, _UNDO),
    Seam('custom model deletion', _MODEL, 'ir_model.unlink',
         Function('self', 'cr', 'user', 'ids', 'context'), noting_models, _UNDO),
    Seam('custom field', _MODEL, 'ir_model_fields.create',
         Function('self', 'cr', 'user', 'vals', 'context'), noting_models, _UNDO),
    Seam('custom field change', _MODEL, 'ir_model_fields.write',
         Function('self', 'cr', 'user', 'ids', 'vals', 'context'), noting_models, _UNDO),
    Seam('custom field deletion', _MODEL, 'ir_model_fields.unlink',
         Function('self', 'cr', 'user', 'ids', 'context'), noting_models, _UNDO),
    Seam('reports', 'openerp.addons.base.ir.ir_actions', 'report_xml.register_all',
         Function('self', 'cr'), reregistering_reports,
         "a changed report would go on printing as before the registry was reloaded",
         phase=AFTER_ADDONS),
]
