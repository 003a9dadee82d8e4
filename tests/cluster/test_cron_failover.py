# -*- coding: utf-8 -*-
"""Cron failover on whole nodes of the real OpenERP, judged by the witness in PostgreSQL."""
import os
import signal

import pytest
from testbed import account, process_table, session
from testbed.clients import XmlRpcClient
from testbed.clock import Clock
from testbed.node import write_secret_key
from testbed.waiting import wait_until
from testbed.witness import Witness

from oe_cluster_launch import cli, errors

TTL = 10.0  # as shipped


@pytest.fixture
def crowd(cluster):
    """Two nodes with the shipped times, a witness, and its first execution: (leader, other, witness)."""
    started = cluster(nodes=2, template='tpl_base', workers=2, wait=False)
    witness = Witness(started.postgres, started.database).install()
    witness.add_job('beat')
    started.start()
    wait_until(lambda: complete(witness), 60, "the first job ran")
    leader = started.node(complete(witness)[0].node)
    other = [node for node in started.nodes if node is not leader][0]
    wait_until(lambda: agent_of(other), 10, "the other node has its agent")
    wait_until(lambda: str(other.name) in started.redis.ask('ZRANGE', 'oe:candidates', '0', '-1'), 10,
               "and is a candidate")
    return leader, other, witness


def complete(witness, job=None):
    return [execution for execution in witness.executions(job) if execution.ended]


def processes_of(node, role):
    return [pid for pid, title in node.titles().items() if ' %s ' % role in title]


def agent_of(node):
    return (processes_of(node, 'cron agent') or [None])[0]


def run_by(witness, node, after=0.0):
    """The executions that a node started after that moment (on PostgreSQL's own clock)."""
    return [each for each in witness.executions() if each.node == node.name and each.started > after]


def seconds_until_next(witness, since):
    """Keep a job due, and measure until somebody has started one."""
    def look():
        witness.make_due('beat')
        return [each for each in witness.executions('beat') if each.started > since]
    return wait_until(look, TTL + 10, "a job ran")[0].started - since


def local_now(witness):
    """The clock that `started` is written by."""
    return float(witness._query("SELECT extract(epoch FROM clock_timestamp()::timestamp)")[0][0])


def test_only_the_leader_runs_cron_workers(crowd):
    leader, other, witness = crowd
    assert len(processes_of(leader, 'cron worker')) == 1
    assert processes_of(other, 'cron worker') == []
    assert witness.faults() == []


def test_a_job_made_due_runs_within_two_seconds(crowd):
    leader, other, witness = crowd
    delays = []
    for _ in range(5):
        wait_until(lambda: witness.make_due('beat'), 5, "it is due")
        since = local_now(witness)
        before = len(witness.executions())
        wait_until(lambda: len(witness.executions()) > before, 5, "it ran")  # noqa: B023
        delays.append(witness.executions()[-1].started - since)
    print("delays of a job made due: %s" % delays)
    assert max(delays) < 2.0
    assert witness.faults() == []


def test_looking_for_due_jobs_costs_postgresql_little(crowd):
    """All transactions of the database, those that the test itself makes included."""
    _, _, witness = crowd

    def transactions():
        return int(witness._postgres.query("SELECT xact_commit + xact_rollback FROM pg_stat_database "
                                           "WHERE datname = '%s'" % witness.database)[0][0])
    before, since = transactions(), witness.now()
    wait_until(lambda: witness.now() - since > 10, 20, "ten seconds are over", 1.0)
    per_second = (transactions() - before) / (witness.now() - since)
    print("transactions per second at rest: %.1f" % per_second)
    assert per_second < 20, "that of both nodes, with their health checks"


def test_a_job_sees_what_others_changed_and_they_see_what_it_changed(crowd):
    """Signaling before and after each job, shown by a cached answer: how a number is written."""
    leader, other, witness = crowd
    client = XmlRpcClient(other.url, witness.database)
    language = client.call('res.lang', 'search', [('code', '=', 'en_US')])[0]

    def written():
        return client.call('res.lang', 'format', [language], '%.1f', 1.5)
    witness._query("CREATE TABLE spoken (id serial, text varchar); ALTER TABLE spoken OWNER TO %s"
                   % witness._postgres.role)
    witness.add_job('speak')
    witness._query("""UPDATE ir_act_server SET code = $$
languages = self.pool.get('res.lang')
text = languages.format(cr, uid, [%d], '%%.1f', 1.5)
cr.execute("INSERT INTO spoken (text) VALUES (%%s)", (text,))
if text == '1b5':
    languages.write(cr, uid, [%d], {'decimal_point': 'j'})
$$ WHERE name = 'speak'""" % (language, language))

    def spoken():
        return [row[0] for row in witness._query("SELECT text FROM spoken ORDER BY id")]
    wait_until(spoken, 10, "the job has cached the answer")
    assert spoken() == ['1.5'] == [written()]
    client.call('res.lang', 'write', [language], {'decimal_point': 'b'})
    assert witness._query("UPDATE ir_cron SET nextcall = date_trunc('second', now() AT TIME ZONE 'UTC') "
                          "WHERE name = 'speak' RETURNING 1")
    wait_until(lambda: len(spoken()) == 2, 10, "the job ran again")
    assert spoken()[-1] == '1b5'
    wait_until(lambda: witness._query("SELECT 1 FROM res_lang WHERE decimal_point = 'j'"), 5, "committed")
    wait_until(lambda: written() == '1j5', 2, "the other node's worker knows")
    assert [written() for _ in range(8)] == ['1j5'] * 8, "all of them"


def test_an_orderly_stop_hands_over_within_a_second(crowd):
    leader, other, witness = crowd
    wait_until(lambda: witness.make_due('beat'), 5, "a job is due")
    since = local_now(witness)
    leader.signal(signal.SIGTERM)
    seconds = seconds_until_next_by(other, witness, since)
    print("handover at an orderly stop: %.2f s" % seconds)
    assert seconds < 1.0
    assert witness.faults() == []


def seconds_until_next_by(node, witness, since):
    def look():
        witness.make_due('beat')
        return run_by(witness, node, since)
    return wait_until(look, TTL + 10, "%s ran a job" % node.name)[0].started - since


def test_a_killed_node_is_replaced_within_the_ttl_and_two_seconds(crowd):
    leader, other, witness = crowd
    since = local_now(witness)
    leader.kill_all()
    seconds = seconds_until_next_by(other, witness, since)
    print("failover after SIGKILL: %.2f s" % seconds)
    assert seconds < TTL + 2
    assert witness.faults() == []


def test_a_stopped_leader_is_replaced_and_starts_nothing_when_it_wakes(crowd):
    leader, other, witness = crowd
    since = local_now(witness)
    leader.pause()
    try:
        seconds = seconds_until_next_by(other, witness, since)
        print("failover after SIGSTOP: %.2f s" % seconds)
        assert seconds < TTL + 2
    finally:
        leader.resume()
    woken = local_now(witness)
    wait_until(lambda: witness.make_due('beat') and local_now(witness) > woken + 6, 30, "it had its chance")
    assert run_by(witness, leader, woken) == []
    assert run_by(witness, other, woken)
    assert processes_of(leader, 'cron worker') == []
    assert witness.faults() == []


def test_a_leader_stopped_within_a_job_does_not_keep_it_locked(crowd):
    """The new leader ends the sleeper's sessions: its job is rolled back and run again."""
    leader, other, witness = crowd
    witness.add_job('slow', seconds=2)
    wait_until(lambda: witness.executions('slow'), 10, "the slow job runs")
    leader.pause()
    wait_until(lambda: complete(witness, 'slow'), TTL + 10, "the other has run it")
    leader.resume()
    wait_until(lambda: [witness.make_due('slow')] and len(complete(witness, 'slow')) >= 2, 20, "and goes on")
    assert set(each.node for each in complete(witness, 'slow')) == {other.name}
    assert witness.faults() == []


def test_a_dead_agent_is_back_within_two_seconds_each_time(crowd):
    leader, other, witness = crowd
    for death in (1, 2, 3):
        born = local_now(witness)
        wait_until(lambda: local_now(witness) - born > 3.5, 10, "it has lived for a renew interval")  # noqa: B023
        since, victim = local_now(witness), agent_of(leader)
        os.kill(victim, signal.SIGKILL)
        seconds = seconds_until_next(witness, since)
        wait_until(lambda: agent_of(leader) not in (None, victim), 5, "a new agent")  # noqa: B023
        print("back after death %d of the agent: %.2f s" % (death, seconds))
        last = [each for each in witness.executions() if each.started > since]
        assert last[0].term == 1 + death
        assert seconds < 2.0
    assert witness.faults() == []


def test_a_leader_without_redis_stops_in_time_and_one_leads_when_it_returns(crowd):
    leader, other, witness = crowd
    redis = started_redis(crowd)
    since = local_now(witness)
    redis.pause()
    try:
        wait_until(lambda: not processes_of(leader, 'cron worker'), TTL, "no cron worker is left")
        assert local_now(witness) - since < TTL
    finally:
        redis.resume()
    seconds = seconds_until_next(witness, local_now(witness))
    print("back after Redis returned: %.2f s" % seconds)
    assert witness.faults() == []


def started_redis(crowd):
    from testbed import service
    return [each for each in service.alive() if each.name == 'redis'][-1]


def test_a_long_job_may_finish_while_another_node_leads(crowd):
    leader, other, witness = crowd
    witness.add_job('long', seconds=5)
    wait_until(lambda: witness.executions('long'), 10, "the long job runs")
    leader.signal(signal.SIGTERM)
    wait_until(lambda: run_by(witness, other) or not witness.make_due('beat'), 5, "the other leads")
    wait_until(lambda: complete(witness, 'long'), 10, "and the long job ended")
    assert complete(witness, 'long')[0].node == leader.name
    assert witness.faults() == []


@pytest.mark.parametrize('hours', [-1, 1])
def test_a_leader_whose_clock_is_wrong_runs_what_is_due_and_skips_nothing(cluster, hours):
    """Stock, an hour behind, runs nothing for an hour; an hour ahead, it skips the due times of an hour."""
    clock = Clock(session.fresh_folder('clock'))
    clock.jump(hours * 3600)
    started = cluster(nodes=1, template='tpl_base', workers=2, wait=False, environment=clock.environment)
    witness = Witness(started.postgres, started.database).install()
    witness.add_job('beat')
    started.start()
    wait_until(lambda: complete(witness), 40, "the job ran")
    wait_until(lambda: witness._query("SELECT 1 FROM ir_cron WHERE name = 'beat' AND "
                                      "nextcall - now() AT TIME ZONE 'UTC' BETWEEN '0 s' AND '1 minute'"), 20,
               "its next due time is the next, by PostgreSQL's clock")
    assert witness.faults() == []


def test_a_node_with_another_key_is_refused_and_one_with_other_addons_is_shown(cluster, monkeypatch, capsys):
    started = cluster(nodes=2, template='tpl_base', workers=2, wait=False, node_settings={'b': {
        'secret_key_file': write_secret_key(os.path.join(session.fresh_folder('key'), 'other.key'))}})
    a, b = started.nodes
    a.start()
    wait_until(lambda: started.redis.ask('EXISTS', 'oe:member:a') == '1', 10, "a is a member")
    b.start(wait=False)
    wait_until(lambda: not b.is_running(), 40, "b has given up")
    assert b.exit_code() == errors.EXIT_CONFIGURATION
    assert "its secret key is not that of a" in b.log()
    assert 'Traceback' not in b.log()
    addons = account.folder(os.path.join(session.fresh_folder('addons'), 'mine'))
    with open(os.path.join(addons, '__openerp__.py'), 'w') as stream:
        stream.write("{'name': 'Mine', 'installable': False}")
    b.cluster['secret_key_file'] = started.secret_key_file
    b.options['addons_path'] = os.path.dirname(addons)
    b.start()
    wait_until(lambda: started.redis.ask('EXISTS', 'oe:member:b') == '1', 10, "b is a member")
    monkeypatch.setenv('OE_CLUSTER_REDIS_URL', started.redis.url)
    assert cli.main(['list']) == errors.EXIT_OK
    text = capsys.readouterr().out
    assert [line for line in text.splitlines() if 'other addons' in line], text


def test_a_node_with_cron_never_does_not_take_over(cluster):
    started = cluster(nodes=1, template='tpl_base', workers=2, wait=False, settings={'cron': 'never'})
    witness = Witness(started.postgres, started.database).install()
    witness.add_job('beat')
    started.start()
    node = started.nodes[0]
    wait_until(lambda: agent_of(node), 10, "it has its agent")
    wait_until(lambda: 'never' in process_table.title(agent_of(node)), 5, "which says so")
    assert witness.executions() == []
    assert processes_of(node, 'cron worker') == []
