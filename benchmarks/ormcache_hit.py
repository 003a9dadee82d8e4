# -*- coding: utf-8 -*-
"""What a hit costs: OpenERP's own ormcache, ours, and the recipe that asks Redis each time.

    .state/py27/bin/python benchmarks/ormcache_hit.py [REDIS_URL]

All three in one process, in turns, so that a busy machine is busy for all of
them; the median of the rounds is printed as a Markdown table. Ratios matter.
"""
import pickle
import sys
import timeit

from oe_cluster_launch.ormcache import decorator, request

ROUNDS, CALLS = 15, 20000


class Pool(object):
    db_name = 'benchmark'


class Cursor(object):
    def __init__(self):
        self.ormcache_transaction = request.Transaction(Pool.db_name)


def model_with(ormcache):
    """A model with methods as OpenERP's: one answer cannot change, one can."""
    class Model(object):
        _name, pool = 'benchmark', Pool()

        @ormcache(skiparg=2)
        def number(self, cr, uid, module, xml_id):
            return 7

        @ormcache(skiparg=2)
        def context(self, cr, uid):
            return {'lang': u'en_US', 'tz': u'Europe/Brussels'}
    return Model()


def redis_recipe(url):
    """HGET and unpickle at each lookup."""
    import redis
    client = redis.Redis.from_url(url)
    client.hset('benchmark', 'key', pickle.dumps(7, 2))
    return lambda: pickle.loads(client.hget('benchmark', 'key'))  # noqa: S301 - what we wrote a line above


def main(redis_url=None):
    from openerp.tools import cache as _class  # noqa: F401 - imports the module below
    stock = model_with(sys.modules['openerp.tools.cache'].ormcache)
    ours, cr = model_with(decorator.ormcache), Cursor()
    for model in (stock, ours):
        model.number(cr, 1, 'base', 'main_company')
        model.context(cr, 1)
    cr.ormcache_transaction.committed()
    cases = [("OpenERP's, a number", lambda: stock.number(cr, 1, 'base', 'main_company'), CALLS),
             ("ours, a number", lambda: ours.number(cr, 1, 'base', 'main_company'), CALLS),
             ("OpenERP's, a dictionary", lambda: stock.context(cr, 1), CALLS),
             ("ours, a dictionary (copied)", lambda: ours.context(cr, 1), CALLS),
             ("an empty function", lambda: None, CALLS)]
    if redis_url:
        cases.append(("Redis at each lookup", redis_recipe(redis_url), 1000))
    seconds = dict((name, []) for name, _call, _count in cases)
    for _round in range(ROUNDS):
        for name, call, count in cases:
            seconds[name].append(timeit.timeit(call, number=count) / count)
    print("| a hit | ns |\n|---|---|")
    for name, _call, _count in cases:
        print("| %s | %d |" % (name, sorted(seconds[name])[ROUNDS // 2] * 1e9))


if __name__ == '__main__':
    main(*sys.argv[1:])
