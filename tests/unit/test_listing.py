# -*- coding: utf-8 -*-
"""What an operator reads about the members, and which differences keep a node out."""
import json

import pytest

from oe_cluster_launch.cluster import listing, mismatch

A = dict(node='a', token='1', machine='m1', state='running', role='leader', address='10.0.0.1:8069',
         workers=4,
         version='0.1.0', host_version='7.0', addons='aaaa', keys=['k1'], databases=['prod'], postgres='77',
         uptime_seconds=3725, term=12, last_seen_seconds=1.2, cron_workers=2, jobs_running=1, reason='')
B = dict(A, node='b', token='2', machine='m2', role='candidate', term=0, cron_workers=0, jobs_running=0)


@pytest.mark.parametrize('change, part', [
    (dict(), None),
    (dict(addons='bbbb'), None),
    (dict(databases=['other']), None),
    (dict(keys=['k2']), "secret key"),
    (dict(keys=['k2', 'k1']), None),
    (dict(keys=[]), None),
    (dict(postgres='78'), "PostgreSQL"),
    (dict(postgres=''), None),
    (dict(host_version='7.0.1'), "OpenERP"),
    (dict(node='a'), "named a"),
    (dict(node='a', machine='m1'), None),
    (dict(node='a', token='1', machine='m2'), None),
])
def test_who_may_join(change, part):
    reason = mismatch.refusal(dict(B, **change), [A])
    assert (part in reason) if part else (reason is None)


def test_warn_lets_in_what_is_not_about_keys():
    assert mismatch.refusal(dict(B, host_version='7.0.1', postgres='78'), [A], warn_only=True) is None
    assert mismatch.refusal(dict(B, keys=['k2']), [A], warn_only=True)


def test_the_one_that_differs_is_marked_not_the_many():
    odd = dict(B, node='c', addons='bbbb', databases=['x'])
    assert mismatch.differences([A, B, odd]) == {'a': [], 'b': [], 'c': ["addons", "databases"]}


@pytest.mark.parametrize('seconds, text', [
    (0, '0s'), (59.9, '59s'), (60, '1m00s'), (3725, '1h02m'), (90061, '1d01h')])
def test_durations(seconds, text):
    assert listing.duration(seconds) == text


def test_the_table_is_a_box_with_all_that_matters():
    gone = {'node': 'c', 'state': 'lost', 'last_seen_seconds': 70}
    rows = listing.member_rows([A, dict(B, addons='x'), gone])
    lines = listing.boxed("cluster oe", listing.MEMBER_COLUMNS, rows).split('\n')
    assert lines[0].startswith('+ cluster oe -')
    assert len(set(len(line) for line in lines)) == 1, "all lines are of one width"
    assert all(word in lines[3] for word in (
        'leader', '4+2 cron', '0.1.0/7.0', '1h02m', '12', '1 jobs running'))
    assert 'lost' in lines[5]
    assert '1m10s ago' in lines[5]


def test_tabs_in_a_value_do_not_break_the_columns():
    assert listing.tsv(('a', 'b'), [{'a': 'x\ty', 'b': 1}]) == 'a\tb\nx y\t1'


def test_json_can_be_read_back():
    assert json.loads(listing.as_json([A]))[0]['node'] == 'a'
