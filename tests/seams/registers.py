# -*- coding: utf-8 -*-
"""Runs inside a worker: cached things as registers that can be written, read and recomputed.

Each register is a value that OpenERP caches. `put` writes one, in one of the
ways a request can end; `look` reads it through the cache; `audit` recomputes
every answer this worker holds. All three are called by RPC, as any method is.
"""
from openerp.osv import orm

USERS, TERMS, RULES, PRECISIONS, MENUS, PARAMETERS, RIGHTS = (
    'user', 'term', 'rule', 'precision', 'menu', 'parameter', 'right')


def put(self, cr, uid, kind, record, value, ending):
    """Write a register; `ending` is commit, roll back, or commit and then raise."""
    pool = self.pool
    if kind == USERS:
        pool.get('res.users').write(cr, uid, [record], {'tz': value})
    elif kind == TERMS:
        pool.get('ir.translation').write(cr, uid, [record], {'value': value})
    elif kind == RULES:
        pool.get('ir.rule').write(cr, uid, [record], {'domain_force': "[('name', '!=', '%s')]" % value})
    elif kind == PRECISIONS:
        pool.get('decimal.precision').write(cr, uid, [record], {'digits': value})
    elif kind == MENUS:
        pool.get('ir.ui.menu').write(cr, uid, [record], {'groups_id': [(6, 0, value)]})
    elif kind == RIGHTS:
        pool.get('ir.model.access').write(cr, uid, [record], {'perm_unlink': value})
    else:
        pool.get('ir.config_parameter').write(cr, uid, [record], {'value': value})
    if ending != 'commit':
        self.look(cr, uid, kind, record)
        if ending == 'commit and raise':
            cr.commit()
        raise ValueError("the end that the test wants")
    return True


def look(self, cr, uid, kind, record):
    """Read a register through the cache."""
    pool = self.pool
    if kind == USERS:
        return pool.get('res.users').context_get(cr, record)['tz']
    if kind == TERMS:
        return pool.get('ir.translation')._get_source(cr, 1, None, 'code', 'fr_FR', u'source %d' % record)
    if kind == RULES:
        user, model = REGISTERS['rule models'][str(record)]
        domain = pool.get('ir.rule')._compute_domain(cr, user, model, 'read')
        return [leaf[2] for leaf in domain if isinstance(leaf, (list, tuple)) and leaf[0] == 'name']
    if kind == PRECISIONS:
        name = REGISTERS['precisions'][str(record)]
        digits = set(column.digits[1] for model in pool.models.values() for column in model._columns.values()
                     if getattr(getattr(column, 'digits_compute', None), 'func_closure', None)
                     and column.digits and column.digits_compute.func_closure[0].cell_contents == name)
        return [pool.get('decimal.precision').precision_get(cr, uid, name)] + sorted(digits)
    if kind == MENUS:
        return record in pool.get('ir.ui.menu').search(cr, REGISTERS['reader'], [])
    if kind == RIGHTS:
        return bool(pool.get('ir.model.access').check(
            cr, REGISTERS['reader'], REGISTERS['right models'][str(record)], 'unlink', False))
    return pool.get('ir.config_parameter').browse(cr, uid, record).value


def audit(self, cr, uid):
    """[held, problems]: every answer this worker holds, compared with a fresh one."""
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
    return [held, problems]


for function in (put, look, audit):
    setattr(orm.BaseModel, function.__name__, function)

#: filled by the test: what the records above belong to
REGISTERS = {}
