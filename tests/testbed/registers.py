# -*- coding: utf-8 -*-
"""Runs inside OpenERP's workers: cached things as registers that can be written, read and recomputed.

Each register is a value that OpenERP caches. `put` writes one, in one of the
ways a request can end; `look` reads it through the cache; `audit` recomputes
every answer this worker holds. All are called by RPC, as any method is;
on whole nodes as an addon's Python code, with a web controller besides, which
works with a registry of its own as auth_signup's do, past all RPC services.
"""
import os
import random
import time

import openerp
from openerp.addons.web import http
from openerp.osv import orm, osv

#: long enough that a write by another client meets this one
SLOW_SECONDS = 0.05


class Impatient(object):
    """What osv knows as the module random: the waits between attempts, of seconds, are a tenth as long."""

    @staticmethod
    def uniform(least, most):
        return random.uniform(least, most) / 10


osv.random = Impatient


def put(self, cr, uid, kind, record, value, ending, detail=None):
    """Write a register; `ending` is one of coherence.py's."""
    signaled = _last_signal(cr)
    cr.execute("SELECT nextval('coherence_executions')")
    model, values = {
        'user': lambda: ('res.users', {'lang': value[0], 'tz': value[1]}),
        'term': lambda: ('ir.translation', {'value': value}),
        'rule': lambda: ('ir.rule', {'domain_force': "[('name', '!=', '%s')]" % value}),
        'precision': lambda: ('decimal.precision', {'digits': value}),
        'menu': lambda: ('ir.ui.menu', {'groups_id': [(6, 0, value)]}),
        'right': lambda: ('ir.model.access', {'perm_unlink': value}),
        'workflow': lambda: ('workflow', {'on_create': value}),
        'parameter': lambda: ('ir.config_parameter', {'value': value}),
    }[kind]()
    self.pool.get(model).write(cr, uid, [record], values)
    if ending == 'commit slowly':
        time.sleep(SLOW_SECONDS)
    elif ending == 'commit once another has signaled':
        deadline = time.time() + 20
        while _last_signal(cr) == signaled:
            assert time.time() < deadline, "nobody has signaled"
            time.sleep(0.005)
    elif ending != 'commit':
        look(self, cr, uid, kind, record, detail)
        if ending != 'roll back':
            cr.commit()
        raise ValueError("the end that the test wants")
    return True


def look(self, cr, uid, kind, record, detail=None):
    """Read a register through the cache."""
    pool = self.pool
    if kind == 'user':
        context = pool.get('res.users').context_get(cr, record)
        return [context['lang'], context['tz']]
    if kind == 'term':
        return pool.get('ir.translation')._get_source(cr, 1, None, 'code', 'fr_FR', u'source %d' % record)
    if kind == 'rule':
        domain = pool.get('ir.rule')._compute_domain(cr, detail[0], detail[1], 'read')
        return [leaf[2] for leaf in domain if isinstance(leaf, (list, tuple)) and leaf[0] == 'name']
    if kind == 'precision':
        return [pool.get('decimal.precision').precision_get(cr, uid, detail)] + _digits(pool, detail)
    if kind == 'menu':
        return record in pool.get('ir.ui.menu').search(cr, detail, [('id', '=', record)])
    if kind == 'right':
        return bool(pool.get('ir.model.access').check(cr, detail[0], detail[1], 'unlink', False))
    if kind == 'workflow':
        return _starts(cr, uid, *detail)
    return pool.get('ir.config_parameter').browse(cr, uid, record).value


def _last_signal(cr):
    """A sequence's value has no part in transactions: it is that of this moment."""
    cr.execute("SELECT last_value FROM base_cache_signaling")
    return cr.fetchone()[0]


def _digits(pool, name):
    """The precisions that the models' fields of that name have, as this process knows them."""
    return sorted(set(
        column.digits[1] for model in pool.models.values() for column in model._columns.values()
        if getattr(getattr(column, 'digits_compute', None), 'func_closure', None)
        and column.digits and column.digits_compute.func_closure[0].cell_contents == name))


def _starts(cr, uid, model, record):
    """Whether a workflow would start if this record were created now."""
    cr.execute("SAVEPOINT look")
    openerp.netsvc.LocalService('workflow').trg_create(uid, model, record, cr)
    cr.execute("SELECT count(*) FROM wkf_instance WHERE res_type = %s AND res_id = %s", (model, record))
    started = bool(cr.fetchone()[0])
    cr.execute("ROLLBACK TO SAVEPOINT look")
    return started


def look_at_all(self, cr, uid, registers):
    """[values, pid]: what this worker says of each register (kind, record, detail)."""
    return [[look(self, cr, uid, *register) for register in registers], os.getpid()]


def audit(self, cr, uid):
    """[held, problems, pid]: every answer this worker holds, compared with a fresh one."""
    from oe_cluster_launch.ormcache.decorator import by_identity, ormcache_multi
    from oe_cluster_launch.ormcache.values import handed_out
    by_method = dict((cache.method, cache) for cache in by_identity.values())
    held, problems = 0, []
    for model in self.pool.models.values():
        for method, table in model.__dict__.get('_ormcache', {}).items():
            cache = by_method[method]
            for key, kept in table.entries().items():
                arguments = [1] * (cache.skiparg - 2) + list(key)
                if isinstance(cache, ormcache_multi):
                    one = arguments[cache.multi]
                    arguments[cache.multi] = [one]
                    fresh = method(model, cr, *arguments)[one]
                else:
                    fresh = method(model, cr, *arguments)
                held += 1
                if fresh != handed_out(kept):
                    problems.append('%s.%s%r: held %r, fresh %r' % (
                        model._name, method.__name__, key, handed_out(kept), fresh))
    return [held, problems, os.getpid()]


for function in (put, look, look_at_all, audit):
    setattr(orm.BaseModel, function.__name__, function)


class Registers(http.Controller):
    """/registers/call: a method of res.users in a transaction of the controller's own."""
    _cp_path = '/registers'

    @http.jsonrequest
    def call(self, request, database, method, arguments):
        registry = openerp.modules.registry.RegistryManager.get(database)
        with registry.cursor() as cr:
            return getattr(registry.get('res.users'), method)(cr, 1, *arguments)
