# -*- coding: utf-8 -*-
"""The contrast of test_cron.py: fault 4 on OpenERP alone."""
from workers import Worker

DUE = """
UPDATE ir_cron SET active = name IN ('first', 'second'),
    nextcall = date_trunc('second', now() AT TIME ZONE 'UTC' - interval '1 minute')
"""
#: two jobs; while the first is running, another thread looks for due jobs, as --max-cron-threads=2 does
TWO_POLLERS = '''
import threading
from openerp import pooler
from openerp.addons.base.ir.ir_cron import ir_cron
runs = []

def first(self, cr, uid):
    runs.append('first')
    other = threading.Thread(target=ir_cron._acquire_job, args=(database,))
    other.start()
    other.join()

def second(self, cr, uid):
    runs.append('second')

partners = type(pooler.get_pool(database).get('res.partner'))
partners.first, partners.second = first, second
ir_cron._acquire_job(database)
answer = runs
'''


def test_stock_runs_a_finished_job_again(postgres, database):
    """Both pollers listed the second job as due; one has finished it before the other locks it."""
    worker = Worker('stock', database('tpl_base'), postgres).wait_until_ready()
    try:
        for priority, name in enumerate(['first', 'second']):
            worker.call('ir.cron', 'create', {
                'name': name, 'model': 'res.partner', 'function': name, 'args': '()', 'priority': priority,
                'numbercall': -1, 'interval_number': 1, 'interval_type': 'days'})
        postgres.query(DUE, worker.database)
        assert worker.run(TWO_POLLERS) == ['first', 'second', 'second']
    finally:
        worker.stop()
