# -*- coding: utf-8 -*-
"""The cron work of OpenERP 7 on real databases, in this process: fence, turns, limits."""
import os
import signal
import threading

import psycopg2
import pytest
from testbed.problem import Problem
from testbed.waiting import wait_until
from testbed.witness import Witness

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron.duty import IDLE, Duty, Shift
from oe_cluster_launch.seams.openerp7 import cron_fence, cron_job, cron_receipt
from oe_cluster_launch.seams.openerp7.cron import CronWork
from oe_cluster_launch.settings import load_settings


@pytest.fixture
def server(host, postgres):
    """OpenERP in this process, pointed at the test's PostgreSQL."""
    wanted = dict(db_host=postgres.host, db_port=postgres.port, db_user=postgres.role)
    before = dict((name, host.config[name]) for name in list(wanted) + ['db_name', 'limit_memory_soft'])
    host.config.options.update(wanted, limit_memory_soft=4 << 30)
    yield host
    host.openerp.modules.registry.RegistryManager.delete_all()
    host.close_connections()
    host.config.options.update(before)
    for name in ('PGAPPNAME', 'PGOPTIONS', 'PGCONNECT_TIMEOUT'):
        os.environ.pop(name, None)


@pytest.fixture
def witness_on(server, postgres, database):
    """A function that makes a database with witness jobs: witness_on('slow', 'quick')."""
    def make(*jobs, **properties):
        witness = Witness(postgres, database('tpl_base')).install()
        for name in jobs:
            witness.add_job(name, **properties)
        server.config['db_name'] = ','.join(
            name for name in [server.config['db_name'], witness.database] if name)
        return witness
    yield make
    server.config['db_name'] = False


def shift_of(node='a', term=1, predecessor=0, seconds=600, index=0, size=1):
    duty = Duty(node, term, predecessor)
    duty.extend(monotonic() + seconds)
    duty.start_slot(index)
    return Shift(duty, index, size)


def work(server, shift, until, timeout_seconds=30, **settings):
    """Run a cron worker in this thread until `until()`; a second thread only watches."""
    def watch():
        try:
            wait_until(until, timeout_seconds, "the work is done")
        except Exception as error:
            failed.append(error)
        shift.stop()
    failed = []
    watcher = threading.Thread(target=watch)
    watcher.start()
    CronWork(server, load_settings().replace(cron_poll_interval=0.2, **settings))(shift)
    watcher.join()
    assert not failed, failed


def due_again(witness):
    """Make the job due once more: a witness has each second at most once as a due time."""
    wait_until(lambda: witness.make_due('job'), 5, "the job is due again")


def fence(witness):
    return witness._query("SELECT term, node FROM oe_cluster_cron_fence")


def test_a_due_job_runs_once_and_says_who_ran_it(server, witness_on):
    witness = witness_on('job')
    shift = shift_of('node-a', 7)
    work(server, shift, lambda: witness.executions() and witness.executions()[-1].ended)
    looks = []
    work(server, shift_of('node-a', 8), lambda: looks.append(1) or len(looks) > 50)
    assert [(each.node, each.term) for each in witness.executions()] == [('node-a', 7)]
    assert witness.faults() == []


def test_a_finished_job_is_not_run_again_by_a_second_poller(server, witness_on):
    """Fault 4: both listed it as due, the first has finished it before the second locks it."""
    witness = witness_on('job')
    job_id = int(witness._query("SELECT id FROM ir_cron WHERE name = 'job'")[0][0])
    runner = runner_of(server)
    shift = registered(server, witness, shift_of())
    assert runner.run(shift, witness.database, job_id)[0] == cron_job.RAN
    assert runner.run(shift, witness.database, job_id) == (cron_job.TAKEN, None)
    assert len(witness.executions()) == 1


def test_an_old_term_starts_nothing_once_a_newer_one_is_known(server, witness_on):
    witness = witness_on('job')
    job_id = int(witness._query("SELECT id FROM ir_cron WHERE name = 'job'")[0][0])
    old = registered(server, witness, shift_of('old', 7))
    registered(server, witness, shift_of('new', 8))
    assert runner_of(server).run(old, witness.database, job_id) == (cron_job.NOT_OURS, None)
    assert witness.executions() == []
    assert old._duty.newest_term == 8


def test_the_fence_sees_a_term_committed_after_the_lock_was_taken(server, witness_on, monkeypatch):
    """t0 old locks the row, t1 new registers, t2 old reads the fence: it must see t1."""
    witness = witness_on('job')
    job_id = int(witness._query("SELECT id FROM ir_cron WHERE name = 'job'")[0][0])
    old, lock = registered(server, witness, shift_of('old', 7)), cron_job._lock

    def lock_and_be_overtaken(cursor, locked_id):
        row = lock(cursor, locked_id)
        registered(server, witness, shift_of('new', 8))
        return row
    monkeypatch.setattr(cron_job, '_lock', lock_and_be_overtaken)
    assert runner_of(server).run(old, witness.database, job_id) == (cron_job.NOT_OURS, None)
    assert witness.executions() == []


def test_one_term_given_twice_has_one_owner(server, witness_on):
    """A failover lost the counter: two nodes hold term 7. The second has to raise its own."""
    witness = witness_on('job')
    registered(server, witness, shift_of('a', 7))
    second = shift_of('b', 7)
    cursor = server.openerp.sql_db.db_connect(witness.database).cursor(serialized=False)
    assert not cron_fence.register(cursor, second)
    cursor.close()
    assert second._duty.newest_term == 7
    registered(server, witness, shift_of('b', 8))
    assert fence(witness) == [['8', 'b']]


def test_a_lease_that_is_over_starts_nothing(server, witness_on):
    witness = witness_on('job')
    job_id = int(witness._query("SELECT id FROM ir_cron WHERE name = 'job'")[0][0])
    shift = registered(server, witness, shift_of())
    shift._duty.extend(monotonic() - 0.001)
    assert runner_of(server).run(shift, witness.database, job_id) == (cron_job.NOT_OURS, None)
    assert witness.executions() == []


def test_the_fence_table_is_made_by_several_at_once(server, witness_on):
    witness = witness_on()
    shifts = [shift_of('n%d' % number, number) for number in range(1, 9)]
    start, errors = threading.Event(), []

    def register(shift):
        cursor = server.openerp.sql_db.db_connect(witness.database).cursor(serialized=False)
        start.wait(5)
        try:
            cron_fence.register(cursor, shift)
        except Exception as error:
            errors.append(error)
        finally:
            cursor.close()
    threads = [threading.Thread(target=register, args=(shift,)) for shift in shifts]
    for thread in threads:
        thread.start()
    start.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert fence(witness) == [['8', 'n8']]


def test_databases_take_turns(server, witness_on):
    """Three jobs wait in each of two databases: neither is served last."""
    witnesses = [witness_on('x1', 'x2', 'x3'), witness_on('y1', 'y2', 'y3')]
    work(server, shift_of(), lambda: sum(len(each.executions()) for each in witnesses) == 6)
    order = sorted((each.started, number) for number, witness in enumerate(witnesses)
                   for each in witness.executions())
    assert [number for _, number in order] in ([0, 1] * 3, [1, 0] * 3)


@pytest.mark.parametrize('break_it', [
    "UPDATE ir_module_module SET latest_version = '6.1.1' WHERE name = 'base'",
    "DROP TABLE ir_cron CASCADE",
    "ALTER TABLE ir_cron RENAME COLUMN nextcall TO later",
])
def test_a_broken_database_does_not_stop_the_others(server, witness_on, break_it):
    broken, sound = witness_on('job'), witness_on('job')
    broken._query(break_it)
    work(server, shift_of(), lambda: sound.executions() and sound.executions()[-1].ended)
    due_again(sound)
    work(server, shift_of(term=2), lambda: len(sound.executions()) == 2)
    assert broken.executions() == []


def test_a_database_that_is_not_there_does_not_stop_the_others(server, witness_on):
    server.config['db_name'] = 'there_is_no_such_database'
    sound = witness_on('job')
    shift = shift_of()
    work(server, shift, lambda: sound.executions())
    assert shift._duty.silence_seconds([0]) < 2.0, "PostgreSQL does answer"


def test_a_database_that_is_mended_is_served_again(server, witness_on):
    witness = witness_on('job')
    witness._query("ALTER TABLE ir_cron RENAME COLUMN nextcall TO later")
    shift = shift_of()
    mend = "ALTER TABLE ir_cron RENAME COLUMN later TO nextcall"
    threading.Timer(1.0, lambda: witness._query(mend)).start()
    work(server, shift, lambda: witness.executions())


def test_a_restart_of_postgresql_is_survived(server, witness_on, postgres):
    """The work is in the second thread here: PostgreSQL ends with the thread that started it."""
    witness = witness_on('job')
    shift = shift_of()
    settings = load_settings().replace(limit_time_cron_real=0.0, limit_time_cron_cpu=0.0)
    worker = threading.Thread(target=lambda: CronWork(server, settings)(shift))
    worker.start()
    try:
        wait_until(lambda: complete(witness) == 1, 20, "a job ran before")
        postgres.restart()
        due_again(witness)
        wait_until(lambda: complete(witness) == 2, 20, "and one after the restart")
        assert witness.faults() == []
    finally:
        shift.stop()
        worker.join()


def complete(witness):
    return len([execution for execution in witness.executions() if execution.ended])


def test_the_watch_tells_silence_from_a_database_that_is_not_there(server, postgres):
    """One worker runs no job: it knows whether PostgreSQL is there while all others are at theirs."""
    duty = Duty('a', 1)
    duty.extend(monotonic() + 600)
    duty.start_slot(0)
    shift = Shift(duty, 0, 0)
    server.config['db_name'] = 'there_is_no_such_database'
    watch = threading.Thread(target=lambda: CronWork(server, load_settings()).watch(shift))
    watch.start()
    try:
        wait_until(lambda: duty._page.slots[0].state == IDLE, 5, "it is answered")
        postgres.pause()
        wait_until(lambda: duty.silence_seconds([0]) > 2, 30, "it is not answered")
        postgres.resume()
        wait_until(lambda: duty.silence_seconds([0]) == 0, 30, "it is answered again")
        postgres.stop()
        wait_until(lambda: duty.silence_seconds([0]) > 2, 30, "it is refused")
        postgres.start()
        wait_until(lambda: duty.silence_seconds([0]) == 0, 30, "it is answered again")
    finally:
        postgres.resume()
        if not postgres.is_running():
            postgres.start()
        shift.stop()
        watch.join()
        server.config['db_name'] = False


@pytest.mark.parametrize('when', ['before the second step', 'at its commit'])
def test_a_job_whose_second_step_was_lost_is_not_run_again(server, witness_on, postgres, monkeypatch, when):
    """The connection that holds the row ends after the job's work and before its next due time is kept."""
    witness = witness_on('job')
    job_id = int(witness._query("SELECT id FROM ir_cron WHERE name = 'job'")[0][0])
    runner, shift = runner_of(server), registered(server, witness, shift_of())

    def end_it(cursor):
        witness._query("SELECT pg_terminate_backend(%d)" % cursor._cnx.get_backend_pid())

    class Unlucky(cron_receipt.LockCursor):
        def execute(self, *arguments):
            if when == 'before the second step':
                end_it(self._cursor)
            return super(Unlucky, self).execute(*arguments)

        def commit(self):
            end_it(self._cursor)
            self._cursor.commit()
    with monkeypatch.context() as patch:
        patch.setattr(cron_receipt, 'LockCursor', Unlucky)
        with pytest.raises(psycopg2.Error):
            runner.run(shift, witness.database, job_id)
    assert complete(witness) == 1 and not _later(witness, 'job'), "finished, and still due"
    assert runner.run(shift, witness.database, job_id)[0] == cron_job.RAN
    assert len(witness.executions()) == 1, "not run again"
    assert _later(witness, 'job'), "only its next due time was set"


def test_no_receipt_is_left_when_all_went_well(server, witness_on):
    """A person may set the same due time again, and the job runs again."""
    witness = witness_on('job')
    job_id = int(witness._query("SELECT id FROM ir_cron WHERE name = 'job'")[0][0])
    due = witness._query("SELECT nextcall FROM ir_cron WHERE id = %d" % job_id)[0][0]
    runner, shift = runner_of(server), registered(server, witness, shift_of())
    for count in (1, 2):
        assert runner.run(shift, witness.database, job_id)[0] == cron_job.RAN
        assert complete(witness) == count
        witness._query("UPDATE ir_cron SET nextcall = '%s' WHERE id = %d" % (due, job_id))


def test_a_job_that_swallowed_a_database_error_gets_its_next_due_time(server, witness_on):
    """Its commit is a rollback, as in stock; it must not be due for ever."""
    witness = witness_on('job')
    witness._query("""UPDATE ir_act_server SET name = 'job', code = $$
try:
    cr.execute('SELECT 1 / 0')
except:
    pass
$$ WHERE name = 'job'""")
    work(server, shift_of(), lambda: _later(witness, 'job'))


def test_the_registry_is_kept_between_looks(server, witness_on):
    witness = witness_on('job')
    manager = server.openerp.modules.registry.RegistryManager
    work(server, shift_of(), lambda: witness.executions())
    registry = manager.registries[witness.database]
    due_again(witness)
    work(server, shift_of(term=2), lambda: len(witness.executions()) == 2)
    assert manager.registries[witness.database] is registry


def test_a_known_due_time_is_met_whatever_the_poll_interval(server, witness_on):
    witness = witness_on('job', due_in_seconds=3)
    shift = shift_of()

    def watch():
        try:
            wait_until(witness.executions, 20, "it ran")
        except Problem:
            pass  # said below
        shift.stop()
        os.kill(os.getpid(), signal.SIGUSR2)
    watcher = threading.Thread(target=watch)
    before = signal.signal(signal.SIGUSR2, lambda *_: None)
    watcher.start()
    CronWork(server, load_settings().replace(cron_poll_interval=30.0))(shift)
    watcher.join()
    signal.signal(signal.SIGUSR2, before)
    assert witness.executions(), "it ran"
    execution = witness.executions()[0]
    # extract(epoch) of a timestamp without zone: both are UTC
    # the first load of the models included
    assert 0 <= execution.started - execution.due - _zone(witness) < 10.0


def _zone(witness):
    """Seconds between the server's zone, in which `started` is written, and UTC."""
    return round(float(witness._query(
        "SELECT extract(epoch FROM now()::timestamp - (now() AT TIME ZONE 'UTC'))")[0][0]))


def test_a_job_over_its_time_ends_and_counts_as_failed(server, witness_on):
    witness = witness_on('endless', seconds=60)
    work(server, shift_of(), lambda: _later(witness, 'endless'), limit_time_cron_real=0.5)
    execution, = witness.executions()
    assert execution.ended is None


def test_a_job_over_its_processor_time_ends_and_counts_as_failed(server, witness_on):
    witness = witness_on()
    witness.add_job('busy')
    witness._query("UPDATE ir_act_server SET code = $$\nwhile True:\n    pass\n$$ WHERE name = 'busy'")
    work(server, shift_of(), lambda: _later(witness, 'busy'), limit_time_cron_cpu=1.0)


def _later(witness, name):
    """Whether the job has its next due time."""
    return witness._query("SELECT 1 FROM ir_cron WHERE name = '%s' AND nextcall > now() AT TIME ZONE 'UTC'"
                          % name)


def test_the_worker_leaves_when_it_holds_too_much(server, witness_on):
    witness_on()
    shift = shift_of()
    CronWork(server, load_settings().replace(limit_memory_cron=1 << 20))(shift)
    assert not shift.over


def test_sessions_of_a_vanished_leader_are_ended(server, witness_on, postgres):
    """A leader that hangs keeps its job's row locked: the next one rolls it back."""
    witness = witness_on('job')
    hung = psycopg2.connect(postgres.dsn(witness.database) + " application_name='oe-cron 7 gone'")
    spared = psycopg2.connect(postgres.dsn(witness.database) + " application_name='oe-cron 70 gone'")
    hung.cursor().execute("SELECT * FROM ir_cron WHERE name = 'job' FOR UPDATE")
    work(server, shift_of('b', 8, predecessor=7), lambda: witness.executions())
    with pytest.raises(psycopg2.Error):
        hung.cursor().execute("SELECT 1")
    spared.cursor().execute("SELECT 1")


def test_without_a_vanished_leader_a_locked_job_is_let_be(server, witness_on, postgres):
    witness = witness_on('job', 'other')
    busy = psycopg2.connect(postgres.dsn(witness.database) + " application_name='oe-cron 7 busy'")
    busy.cursor().execute("SELECT * FROM ir_cron WHERE name = 'job' FOR UPDATE")
    work(server, shift_of('b', 8), lambda: witness.executions())
    assert [each.job for each in witness.executions()] == ['other']
    busy.cursor().execute("SELECT 1")


def runner_of(server):
    return cron_job.JobRunner(server.openerp.sql_db.db_connect,
                              server.openerp.modules.registry.RegistryManager.get, 0, 0)


def registered(server, witness, shift):
    """The shift, known to the database; new connections bear its name, as in a cron worker."""
    os.environ['PGAPPNAME'] = cron_fence.session_name(shift.term, shift.node)
    cursor = server.openerp.sql_db.db_connect(witness.database).cursor(serialized=False)
    try:
        assert cron_fence.register(cursor, shift)
    finally:
        cursor.close()
    return shift
