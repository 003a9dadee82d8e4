# -*- coding: utf-8 -*-
"""Calls whose connection is terminated at the worst moments: made again, or never, by what was committed."""
import collections

import pytest
from testbed import session
from testbed.relay import make_relay
from testbed.waiting import wait_until
from workers import Fault, Worker

from oe_cluster_launch.seams.openerp7.repetition import MOST_REPETITIONS, UNKNOWN

#: a method that ends its own connection, as an administrator would, at one moment per attempt
STUMBLE = '''
import psycopg2, time
from openerp import pooler, sql_db
from openerp.osv.orm import except_orm
attempts = []

def administrator(query, *values):
    connection = psycopg2.connect(sql_db.dsn('postgres'))
    connection.set_isolation_level(0)
    cursor = connection.cursor()
    cursor.execute(query, values)
    found = cursor.fetchall()
    connection.close()
    return found

def end(cr):
    pid = cr._cnx.get_backend_pid()
    administrator("SELECT pg_terminate_backend(%s)", pid)
    while administrator("SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid):
        time.sleep(0.01)

def stumble(self, cr, uid, moments, values, context=None):
    attempts.append(dict(values))
    moment = moments[len(attempts) - 1] if len(attempts) <= len(moments) else None
    cr.execute("SELECT 1")
    if moment == 'read':
        end(cr)
    self.create(cr, uid, values)
    values.clear()
    if moment == 'committed':
        cr.commit()
        cr.execute("SELECT 1")
    if moment == 'committed elsewhere':
        other = sql_db.db_connect(cr.dbname).cursor()
        other.autocommit(True)
        other.execute("SELECT 1")
        other.close()
    if moment in ('written', 'committed', 'committed elsewhere'):
        end(cr)
        cr.execute("SELECT 1")
    if moment == 'before the commit':
        end(cr)
    if moment == 'swallowed':
        end(cr)
        try:
            cr.execute("SELECT 1")
        except Exception:
            pass
    if moment == 'told otherwise':
        end(cr)
        try:
            cr.execute("SELECT 1")
        except Exception:
            raise except_orm('Mine', 'an error of the addon')
    if moment == 'after the commit':
        cr.commit()
        end(cr)
    if moment == 'seen after a commit':
        other = sql_db.db_connect(cr.dbname).cursor()
        other.execute("SELECT 1")
        other.commit()
        end(other)
        try:
            other.execute("SELECT 1")
        except Exception:
            pass
        other.close()
    return True

type(pooler.get_pool(database).get('res.partner')).stumble = stumble
'''
SLOW_COMMIT = '''
CREATE FUNCTION slow_commit() RETURNS trigger AS $$ BEGIN PERFORM pg_sleep(%d); RETURN NULL; END $$
    LANGUAGE plpgsql;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON res_partner DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.name = 'slow') EXECUTE FUNCTION slow_commit();
'''
Address = collections.namedtuple('Address', 'host port role')


@pytest.fixture
def worker_of(postgres, database):
    """A function that starts a worker that stumbles."""
    started = []

    def start(kind='ours', address=postgres):
        started.append(Worker(kind, database('tpl_base'), address).wait_until_ready())
        started[-1].run(STUMBLE)
        return started[-1]
    yield start
    for worker in started:
        worker.stop()


@pytest.fixture
def worker(worker_of):
    return worker_of()


@pytest.fixture
def created(postgres):
    """A function: how many partners of a name there are."""
    def count(worker, name):
        rows = postgres.query("SELECT count(*) FROM res_partner WHERE name = '%s'" % name, worker.database)
        return int(rows[0][0])
    return count


def stumble(worker, moments, name='once'):
    """How many attempts a call took that stumbles at these moments, one per attempt."""
    try:
        worker.call('res.partner', 'stumble', moments, {'name': name})
    finally:
        seen = worker.run("answer = attempts")
    assert seen == [{'name': name}] * len(seen)  # each attempt had the arguments as they came
    return len(seen)


@pytest.mark.parametrize('moment', ['read', 'written', 'before the commit', 'swallowed', 'told otherwise'])
def test_a_call_that_has_committed_nothing_is_made_again_and_done_once(worker, created, moment):
    assert stumble(worker, [moment]) == 2
    assert created(worker, 'once') == 1


def test_stock_lets_it_fail(worker_of, created):
    """The contrast."""
    stock = worker_of('stock')
    with pytest.raises(Fault):
        stumble(stock, ['written'])
    assert created(stock, 'once') == 0


@pytest.mark.parametrize('moment', ['committed', 'committed elsewhere'])
def test_a_call_that_has_committed_something_is_not_made_again(worker, created, moment):
    with pytest.raises(Fault):
        stumble(worker, [moment, None])
    assert len(worker.run("answer = attempts")) == 1
    assert created(worker, 'once') == (1 if moment == 'committed' else 0)


@pytest.mark.parametrize('moment', ['after the commit', 'seen after a commit'])
def test_a_connection_that_ends_after_the_commit_is_no_error(worker, created, moment):
    assert stumble(worker, [moment]) == 1
    assert created(worker, 'once') == 1


def test_a_call_that_loses_every_connection_ends_with_an_error(worker, created):
    with pytest.raises(Fault):
        stumble(worker, ['written'] * 20)
    assert len(worker.run("answer = attempts")) == 1 + MOST_REPETITIONS
    assert created(worker, 'once') == 0


def test_a_call_that_changed_models_is_not_made_again(worker):
    """OpenERP changes its models in memory before it commits, and does not change them back."""
    worker.run("from oe_cluster_launch.ormcache import request\n"
               "def changes(self, cr, uid, context=None):\n"
               "    attempts.append('changes')\n"
               "    cr.execute('SELECT 1')\n"
               "    request.current().database(cr.dbname).models_touched = True\n"
               "    end(cr)\n"
               "    return True\n"
               "type(pooler.get_pool(database).get('res.partner')).changes = changes")
    with pytest.raises(Fault):
        worker.call('res.partner', 'changes')
    assert worker.run("answer = attempts") == ['changes']


def test_a_log_in_is_made_again(worker):
    worker.run("users = type(pooler.get_pool(database).get('res.users'))\n"
               "def search(self, cr, *args, **kwargs):\n"
               "    attempts.append('search')\n"
               "    if len(attempts) == 1:\n"
               "        end(cr)\n"
               "    return super(users, self).search(cr, *args, **kwargs)\n"
               "users.search = search")
    assert worker.rpc('common', 'login', worker.database, 'admin', 'admin') == 1
    assert len(worker.run("answer = attempts")) > 1


def committing(postgres, database):
    """The process of PostgreSQL that is at a COMMIT, when there is one."""
    found = postgres.query("SELECT pid FROM pg_stat_activity WHERE datname = '%s' AND state = 'active' "
                           "AND query = 'COMMIT'" % database)
    return found and found[0][0]


def test_a_commit_whose_answer_never_came_is_not_sent_again_when_it_failed(worker, postgres, created):
    postgres.query(SLOW_COMMIT % 60, worker.database)
    worker.begin_call('res.partner', 'stumble', [], {'name': 'slow'})
    pid = wait_until(lambda: committing(postgres, worker.database), 20, "the commit is being done")
    postgres.query("SELECT pg_terminate_backend(%s)" % pid)
    with pytest.raises(Fault) as caught:
        worker.finish()
    assert UNKNOWN in str(caught.value)
    assert len(worker.run("answer = attempts")) == 1
    assert created(worker, 'slow') == 0


def test_a_commit_whose_answer_never_came_is_not_sent_again_when_it_was_done(worker_of, postgres, created):
    relay = make_relay(session.fresh_folder('relay'), 'relay', str(postgres.port)).start()
    try:
        worker = worker_of(address=Address('127.0.0.1', relay.port, postgres.role))
        postgres.query(SLOW_COMMIT % 2, worker.database)
        worker.begin_call('res.partner', 'stumble', [], {'name': 'slow'})
        wait_until(lambda: committing(postgres, worker.database), 20, "the commit is being done")
        relay.kill_all()
        with pytest.raises(Fault) as caught:
            worker.finish()
        assert UNKNOWN in str(caught.value)
        wait_until(lambda: created(worker, 'slow'), 20, "PostgreSQL has committed")
        assert len(worker.run("answer = attempts")) == 1
        assert created(worker, 'slow') == 1
    finally:
        relay.kill_all()
