# -*- coding: utf-8 -*-
"""What a lookup in the ormcache costs: OpenERP's own, ours by level, the recipe's.

    python2.7 -m benchmarks.inside.ormcache SOCKET ROUNDS CALLS SECONDS

All in one process, in turns; then in 1 to 4 processes at once.
"""
import itertools
import os
import pickle
import sys
import time
import timeit

import redis

from benchmarks.inside import report
from oe_cluster_launch.ormcache import decorator, request
from oe_cluster_launch.ormcache.shared import SharedLevel
from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store

ANSWERS, ANSWERS_PER_BATCH = 2000, 20


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


class Recipe(object):
    """HGET and unpickle at each lookup; on a miss HSET."""

    def __init__(self, socket_path):
        self.client = redis.Redis(unix_socket_path=socket_path)

    def ask(self, field, value):
        data = self.client.hget('benchmark', field)
        if data is not None:
            return pickle.loads(data)  # noqa: S301 - what we wrote
        self.client.hset('benchmark', field, pickle.dumps(value, 2))
        return value

    def number(self, cr, uid, module, xml_id):
        return self.ask(repr((module, xml_id)), 7)

    def context(self, cr, uid):
        return self.ask(repr((uid,)), {'lang': u'en_US', 'tz': u'Europe/Brussels'})


def main(socket_path, rounds, calls, seconds):
    from openerp.tools import cache as _class  # noqa: F401 - imports the module below
    rounds, calls, cr = int(rounds), int(calls), Cursor()
    models = {'stock': model_with(sys.modules['openerp.tools.cache'].ormcache),
              'ours': model_with(decorator.ormcache), 'recipe': Recipe(socket_path)}
    for model in models.values():
        model.number(cr, 1, 'base', 'main_company')
        model.context(cr, 1)
    cr.ormcache_transaction.committed()
    report.tell(hits(models, cr, rounds, calls) + misses(models, cr, rounds, calls)
                + second_level(socket_path, rounds) + processes(models, cr, float(seconds)))


def hits(models, cr, rounds, calls):
    count = {'stock': calls, 'ours': calls, 'recipe': max(1, calls // 20)}
    number = dict((kind, lambda model=model: model.number(cr, 1, 'base', 'main_company'))
                  for kind, model in models.items())
    context = dict((kind, lambda model=model: model.context(cr, 1)) for kind, model in models.items())
    return [(name, 'ns', net(report.in_turns(dict(cases, empty=nothing), rounds, dict(count, empty=calls))))
            for name, cases in (('a hit, a number', number), ('a hit, a dictionary (ours: copied)', context))]


def nothing():
    """What calling costs in itself, which is not the cache's."""


def net(found):
    """Nanoseconds without those of calling an empty function in the same round."""
    empty = found.pop('empty')
    return dict((kind, [1e9 * (one - call) for one, call in zip(each, empty)])
                for kind, each in found.items())


def misses(models, cr, rounds, calls):
    """A key that nobody has asked for; the method itself costs nothing."""
    new = itertools.count()
    cases = dict((kind, lambda model=model: model.number(cr, 1, 'base', next(new)))
                 for kind, model in models.items())
    found = report.in_turns(dict(cases, empty=nothing), rounds, max(1, calls // 20))
    cr.ormcache_transaction.committed()
    return [('a miss, without the query', 'ns', net(found))]


def second_level(socket_path, rounds):
    """Our second level: what an answer costs that another process has computed."""
    store = Store(load_settings().replace(redis_url='unix://' + socket_path))
    sealing, place = Sealing(None, [key_file.new_key()]), ('benchmark:1', '1.1')
    answers = [(('res.users', 'method', (number, u'name %d' % number)), {'id': number, 'lang': u'en_US'})
               for number in range(ANSWERS)]

    def level():
        return SharedLevel(store, sealing, 3600, 1 << 26, 1 << 16)

    writer, began = level(), time.time()
    for start in range(0, ANSWERS, ANSWERS_PER_BATCH):
        writer.publish('benchmark', place, answers[start:start + ANSWERS_PER_BATCH])
    writing = (time.time() - began) / ANSWERS
    reading = []
    for _round in range(rounds):
        reader = level()  # knows nothing, as a new worker
        began = time.time()
        assert len(reader.fetch('benchmark', place)) == ANSWERS
        reading.append((time.time() - began) / ANSWERS)
    reading = [1e9 * each for each in reading]
    return [('level 2, per answer: read in bulk by a cold worker', 'ns', {'ours': reading}),
            ('level 2, per answer: published after the commit', 'ns', {'ours': [1e9 * writing]})]


def processes(models, cr, seconds, most=4):
    """Lookups per second of 1 to 4 processes at once."""
    series = []
    for count in range(1, most + 1):
        found = {}
        for _turn in range(3):
            for kind in ('stock', 'ours', 'recipe'):
                found.setdefault(kind, []).append(at_once(models[kind], cr, count, seconds))
        series.append(('lookups per second, %d process%s' % (count, 'es' if count > 1 else ''), '1/s', found))
    return series


def at_once(model, cr, count, seconds):
    """The sum of what so many forked processes do in `seconds`."""
    if isinstance(model, Recipe):
        model.client.connection_pool.disconnect()  # each process makes its own connection
    start, end = os.pipe()
    go, ready = os.pipe()
    for _process in range(count):
        if not os.fork():
            try:
                os.read(go, 1)
                step = 50 if isinstance(model, Recipe) else 2000
                done, began = 0, time.time()
                while time.time() < began + seconds:
                    timeit.timeit(lambda: model.number(cr, 1, 'base', 'main_company'), number=step)
                    done += step
                os.write(end, '%d\n' % (done / (time.time() - began)))
            finally:
                os._exit(0)
    os.write(ready, 'x' * count)
    for _process in range(count):
        os.wait()
    told = os.read(start, 4096).split()
    for descriptor in (start, end, go, ready):
        os.close(descriptor)
    assert len(told) == count, told
    return sum(map(int, told))


if __name__ == '__main__':
    main(*sys.argv[1:])
