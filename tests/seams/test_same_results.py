# -*- coding: utf-8 -*-
"""What OpenERP answers with our caches below it is what it answers without them.

Two workers, one of them without any seam, on copies of the same database: every
cached method of every addon that is installed there.
"""
import json

import pytest
from workers import Worker

#: every call is made twice, so that the second answer comes from the cache
CALLS = [
    ('decimal.precision', 'precision_get', ['Account'], ['Product Price'], ['No such']),
    ('res.company', '_get_company_children', [], [1], [None], [99999]),
    ('res.lang', '_lang_data_get', ['en_US'], [u'en_US'], ['xx_XX'], [1], ['en_US', True]),
    ('res.users', 'context_get', [], [None]),
    ('ir.model.access', 'check', ['res.partner'], ['res.partner', 'write'], [u'res.partner', 'read', False],
     ['ir.cron', 'unlink', False], ['no.such.model', 'read', False], ['res.partner', 'no mode']),
    ('ir.model.data', '_get_id', ['base', 'main_company'], [u'base', u'main_company'], ['base', 'no_such']),
    ('ir.model.data', 'get_object_reference', ['base', 'main_company'], [u'base', u'user_root'],
     ['base', 'no_such']),
    ('ir.rule', '_compute_domain', ['res.partner'], ['res.partner', 'write'], ['ir.cron', 'read'],
     ['res.users', 'no mode']),
    ('ir.translation', '_get_ids', ['ir.ui.menu,name', 'model', 'fr_FR', [1, 2, 3]],
     ['ir.ui.menu,name', 'model', 'en_US', [3, 99999]], ['ir.ui.menu,name', 'model', 'fr_FR', []]),
    ('ir.translation', '_get_source', ['base.menu', 'view', 'fr_FR', 'Sales'],
     [None, 'code', 'fr_FR', 'Sales'], [None, ('code', 'view'), u'fr_FR', u'Sales'],
     [None, 'code', False, 'Sales'], [None, 'code', 'fr_FR', '']),
    ('board.board', 'list', [], [None]),
]
#: runs in both: {'answers': by call, 'reached': identities}
ANSWER = """
import json
registry = openerp.pooler.get_pool(database)
answer = []
for call in json.loads(%r):
    model, method = registry.get(call[0]), call[1]
    for arguments in call[2:] if model is not None else []:
        arguments = [tuple(each) if isinstance(each, list) and method == '_get_source' else each
                     for each in arguments]
        for uid in (1, %d):
            for _ in 'ab':
                with registry.cursor() as cr:
                    try:
                        answer.append([call[0], method, repr(arguments), uid,
                                       repr(getattr(model, method)(cr, uid, *arguments))])
                    except Exception as error:
                        answer.append([call[0], method, repr(arguments), uid,
                                       '%%s %%s' %% (type(error).__name__, error)])
"""
#: cached methods of addons that are installed: [model, method, hits]
CACHED = """
from oe_cluster_launch.ormcache.decorator import by_identity
registry = openerp.pooler.get_pool(database)
answer = []
for cache in by_identity.values():
    owners = [model._name for model in registry.models.values()
              if cache.method in getattr(model, '_ormcache', {})
              or any(cache.method.__name__ in kind.__dict__ and kind.__module__ == cache.method.__module__
                     for kind in type(model).__mro__)]
    answer.append([cache.method.__module__, cache.method.__name__, bool(owners), cache.stat_hit])
"""


@pytest.fixture(scope='module')
def both(postgres):
    """A worker of ours and a stock one, on equal databases."""
    workers = []
    for kind in ('ours', 'stock'):
        name = 'same_results_%s' % kind
        postgres.create_database(name, 'tpl_full')
        workers.append(Worker(kind, name, postgres))
    for worker in workers:
        worker.wait_until_ready()
        worker.call('res.users', 'search', [])
    yield workers
    for worker in workers:
        worker.stop()
        postgres.drop_database(worker.database)


def test_every_cached_method_answers_as_in_openerp_alone(both):
    ours, stock = both
    demo = stock.call('res.users', 'search', [('login', '=', 'demo')])[0]
    code = ANSWER % (json.dumps(CALLS), demo)
    wanted, found = stock.run(code), ours.run(code)
    assert len(wanted) > 100
    assert found == wanted
    called = set(call[1] for call in CALLS)
    cached = ours.run(CACHED)
    assert len(cached) >= 10
    for module, method, installed, hits in cached:
        assert not installed or (method in called and hits), (module, method)
