# -*- coding: utf-8 -*-
"""Reports begun on one node and fetched from another: fault 3 of docs/faults.md."""
import base64
import signal
import textwrap
import xmlrpc.client

import pytest
from testbed import account, session
from testbed.clients import XmlRpcClient
from testbed.waiting import wait_until

POLLS_SECONDS = 30


class Printer:
    """A user who prints: begins a report at one server, asks for it at another."""

    def __init__(self, begin_at, ask_at, database, login='admin', password='admin'):
        self.a = XmlRpcClient(begin_at.url, database, login, password)
        self.b = XmlRpcClient(ask_at.url, database, login, password)

    def without_logo(self):
        """reportlab 2.7 cannot draw pictures with the Pillow that the testbed installs."""
        self.a.call('res.company', 'write', [1], {'logo': False})
        return self

    def begin(self, name='sale.order', ids=None):
        ids = ids or self.a.call('sale.order', 'search', [])[:1]
        return self.a.report.report(self.a.database, self.a.uid, self.a.password, name, ids, {})

    def ask(self, report_id):
        return self.b.report.report_get(self.b.database, self.b.uid, self.b.password, report_id)

    def fetch(self, report_id):
        return wait_until(lambda: (lambda answer: answer['state'] and answer)(self.ask(report_id)),
                          POLLS_SECONDS, "the report is there")


@pytest.fixture
def two_nodes(cluster):
    return cluster(nodes=2)


@pytest.fixture
def printer(two_nodes):
    return Printer(two_nodes.node('a'), two_nodes.node('b'), two_nodes.database).without_logo()


def is_pdf(answer):
    return answer['format'] == 'pdf' and base64.b64decode(answer['result']).startswith(b'%PDF')


def test_a_report_begun_on_one_node_is_fetched_from_the_other(printer):
    assert is_pdf(printer.fetch(printer.begin()))


def test_every_poll_may_reach_another_worker_or_node(two_nodes, printer):
    printer.a.url = printer.b.url = two_nodes.round_robin_url
    begun = [printer.begin() for _ in range(6)]
    assert len(set(begun)) == 6
    assert all(is_pdf(printer.fetch(report_id)) for report_id in begun)


def test_two_stock_servers_do_not_find_each_others_reports(stock, database):
    """The contrast: what test_a_report_begun_on_one_node... shows to be mended."""
    name = database('tpl_full')
    printer = Printer(stock(database=name), stock(database=name), name).without_logo()
    with pytest.raises(xmlrpc.client.Fault, match='ReportNotFound'):
        printer.fetch(printer.begin())


def test_another_user_and_another_database_are_refused(two_nodes, printer, database):
    report_id = printer.begin()
    other = Printer(two_nodes.node('a'), two_nodes.node('b'), two_nodes.database, 'demo', 'demo')
    with pytest.raises(xmlrpc.client.Fault, match='ReportNotFound'):
        other.ask(report_id)
    stranger = Printer(two_nodes.node('a'), two_nodes.node('b'), database('tpl_base'))
    assert stranger.b.uid == printer.b.uid
    with pytest.raises(xmlrpc.client.Fault, match='ReportNotFound'):
        stranger.ask(report_id)
    assert is_pdf(printer.fetch(report_id))


def test_ids_are_positive_32_bit_integers_in_no_order(printer):
    ids = [printer.begin('no.such.report', [1]) for _ in range(8)]
    assert all(0 < report_id < 2 ** 31 for report_id in ids)
    assert ids != sorted(ids) and len(set(ids)) == 8


def test_a_report_that_fails_tells_why_through_the_other_node(printer):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        printer.fetch(printer.begin('no.such.report', [1]))
    assert 'no.such.report' in caught.value.faultCode


def test_a_report_over_the_limit_says_so(cluster):
    small = cluster(nodes=2, settings={'report_limit': '1K'})
    printer = Printer(small.node('a'), small.node('b'), small.database).without_logo()
    with pytest.raises(xmlrpc.client.Fault) as caught:
        printer.fetch(printer.begin())
    assert 'report_limit' in caught.value.faultCode


def test_a_lost_answer_can_be_asked_for_again(printer):
    report_id = printer.begin()
    first = printer.fetch(report_id)
    assert printer.ask(report_id) == first


def test_a_report_that_nobody_fetches_is_forgotten(printer, two_nodes):
    report_id = printer.begin()
    printer.fetch(report_id)
    keys = two_nodes.redis.ask('KEYS', 'oe:report:*').split()
    assert len(keys) == 1
    assert 0 < int(two_nodes.redis.ask('PTTL', keys[0])) <= 60 * 1000


def test_render_report_answers_in_one_call(printer):
    a = printer.a
    ids = a.call('sale.order', 'search', [])[:1]
    assert is_pdf(a.report.render_report(a.database, a.uid, a.password, 'sale.order', ids, {}))


@pytest.fixture
def slow_report(cluster):
    """Two nodes whose report `slow` takes as many seconds as its first id says."""
    folder = account.folder(session.fresh_folder('slow'))
    with open(folder + '/sitecustomize.py', 'w') as target:
        target.write(textwrap.dedent('''\
            import sys, time
            class Slow(object):
                def create(self, cr, uid, ids, datas, context):
                    cr.execute('SELECT pg_sleep(%s)', (ids[0],))
                    return 'late', 'txt'
            class Finder(object):
                def find_module(self, name, path=None):
                    if name == 'oe_cluster_launch.seams.openerp7.table':
                        from openerp import netsvc
                        netsvc.Service._services['report.slow'] = Slow()
            sys.meta_path.insert(0, Finder())
            '''))
    account.give(folder + '/sitecustomize.py')
    path = ':'.join([folder, account.environment(folder).get('PYTHONPATH', '')])
    return cluster(nodes=2, template='tpl_base', environment={'PYTHONPATH': path})


def test_the_death_of_the_node_that_renders_is_told_not_polled_for_ever(slow_report):
    printer = Printer(slow_report.node('a'), slow_report.node('b'), slow_report.database)
    report_id = printer.begin('slow', [60])
    assert printer.ask(report_id) == {'state': False}
    slow_report.node('a').signal(signal.SIGKILL)
    slow_report.node('a').kill_all()
    with pytest.raises(xmlrpc.client.Fault) as caught:
        printer.fetch(report_id)
    assert 'Node a ended' in caught.value.faultCode


def test_a_report_that_takes_longer_than_its_beat_is_not_taken_for_lost(slow_report):
    printer = Printer(slow_report.node('a'), slow_report.node('b'), slow_report.database)
    report_id = printer.begin('slow', [60])
    key, = slow_report.redis.ask('KEYS', 'oe:report:*').split()
    first = slow_report.redis.ask('HGET', key, 'at')
    wait_until(lambda: slow_report.redis.ask('HGET', key, 'at') != first, 10, "it beats")
    assert printer.ask(report_id) == {'state': False}


def test_a_report_at_work_when_its_node_is_stopped_in_order_is_still_delivered(slow_report):
    printer = Printer(slow_report.node('a'), slow_report.node('b'), slow_report.database)
    report_id = printer.begin('slow', [10])
    assert slow_report.node('a').stop() == 0
    assert base64.b64decode(printer.fetch(report_id)['result']) == b'late'
