# -*- coding: utf-8 -*-
"""What OpenERP answers with our caches below it is what it answers without them.

Two workers, one of them without any seam, on copies of the same database: every
cached method of every addon that is installed there, and OpenERP's own tests of
its server, the package openerp.tests.
"""
import json
import os

import pytest
from testbed import session
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
#: what is written in both before all is called again: model, domain, values
CHANGES = [
    ('decimal.precision', [('name', '=', 'Account')], {'digits': 3}),
    ('res.lang', [('code', '=', 'en_US')], {'thousands_sep': "'"}),
    ('res.users', [('login', '=', 'demo')], {'tz': 'Europe/Rome'}),
    ('ir.model.access', [('model_id.model', '=', 'res.partner')], {'perm_write': False}),
    ('ir.rule', [('model_id.model', '=', 'res.partner')], {'domain_force': "[('id', '>', 0)]"}),
]
#: runs in both
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
#: the addon that openerp.tests.test_uninstall installs and uninstalls; it is not in the published package
UNINSTALLED = {
    '__openerp__.py': "{'name': 'test_uninstall', 'depends': ['base'], 'installable': True, 'data': []}",
    '__init__.py': """
from openerp.osv import fields, orm

class model(orm.Model):
    _name = 'test_uninstall.model'
    _columns = {'name': fields.char('Name', size=64), 'user': fields.many2one('res.users', 'User')}
"""}
#: OpenERP's tests of itself: {test: outcome}; `addons` is a folder. Not test_xmlrpc, which starts a
#: server of its own on a fixed port
OWN_TESTS = """
import glob, os, re, unittest2
import openerp.tests
openerp.modules.module.ad_paths.append(addons)
with openerp.pooler.get_pool(database).cursor() as cr:
    openerp.pooler.get_pool(database).get('ir.module.module').update_list(cr, 1)
names = sorted(os.path.basename(path)[:-3] for path in
               glob.glob(os.path.join(os.path.dirname(openerp.tests.__file__), 'test_*.py')))
class Outcomes(unittest2.TestResult):
    def __init__(self):
        super(Outcomes, self).__init__()
        self.found = {}
    def note(self, test, outcome):
        self.found[test.id()] = re.sub('0x[0-9a-f]+|<.*?>|' + database, '#', outcome)
    def addSuccess(self, test):
        self.note(test, 'ok')
    def addError(self, test, error):
        self.note(test, 'error: %s %s' % (error[0].__name__, error[1]))
    def addFailure(self, test, error):
        self.note(test, 'failure: %s' % error[1])
    def stopTest(self, test):  # whose set-up failed has left its transaction open
        cursor = getattr(test, 'cr', None)
        if isinstance(test, openerp.tests.common.TransactionCase) and cursor and not cursor._Cursor__closed:
            cursor.rollback()
            cursor.close()
    def addSkip(self, test, reason):
        self.note(test, 'skipped: %s' % reason)
outcomes = Outcomes()
for name in names:
    if name != 'test_xmlrpc':
        unittest2.defaultTestLoader.loadTestsFromName('openerp.tests.' + name).run(outcomes)
answer = outcomes.found
"""


@pytest.fixture(scope='module')
def both(postgres):
    """A worker of ours and a stock one, on equal databases."""
    workers = []
    for kind in ('ours', 'stock'):
        name = 'same_results_%s' % kind
        postgres.create_database(name, 'tpl_full')
        # a test that waits for another one's leftovers fails, with and without us
        postgres.query("ALTER DATABASE %s SET lock_timeout = '5s'" % name)
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
    before = None
    for model, domain, values in [(None, None, None)] + CHANGES:
        for worker in both if model else ():
            worker.call(model, 'write', worker.call(model, 'search', domain), values)
        wanted, found = stock.run(code), ours.run(code)
        assert len(wanted) > 100
        assert found == wanted
        assert wanted != before
        before = wanted
    called = set(call[1] for call in CALLS)
    cached = ours.run(CACHED)
    assert len(cached) >= 10
    for module, method, installed, hits in cached:
        assert not installed or (method in called and hits), (module, method)


def test_openerps_tests_of_its_server_end_as_in_openerp_alone(both):
    ours, stock = both
    addons = session.fresh_folder('addons')
    os.mkdir(os.path.join(addons, 'test_uninstall'))
    for name, text in UNINSTALLED.items():
        with open(os.path.join(addons, 'test_uninstall', name), 'w') as stream:
            stream.write(text)
    for worker in both:
        worker.run("addons = %r" % addons)
    wanted, found = stock.run(OWN_TESTS), ours.run(OWN_TESTS)
    outcomes = sorted(wanted.values())
    print("%d tests, %d ok; %d differ" % (len(wanted), outcomes.count('ok'), sum(
        found.get(test) != wanted[test] for test in wanted)))
    print('\n'.join('%s: %s' % pair for pair in sorted(wanted.items()) if pair[1] != 'ok'))
    assert len(wanted) > 50
    assert found == wanted
