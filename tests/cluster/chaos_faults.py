# -*- coding: utf-8 -*-
"""The faults: one function each, (world, victim, seconds) -> what mends it, or None."""
import os
import signal

from testbed.network import POSTGRES, REDIS
from testbed.waiting import wait_until

HOUR = 3600


def kill_node(world, victim, seconds):
    """SIGKILL of all its processes; started again afterwards."""
    world.nodes[victim].kill_all()
    return lambda: world.nodes[victim].start(wait=False)


def stop_node(world, victim, seconds):
    """SIGTERM; started again afterwards."""
    world.nodes[victim].stop()
    return lambda: world.nodes[victim].start(wait=False)


def freeze_node(world, victim, seconds):
    """SIGSTOP of all its processes."""
    world.nodes[victim].pause()
    return world.nodes[victim].resume


def kill_agent(world, victim, seconds):
    """SIGKILL of its cron agent alone."""
    for pid in world.titled(victim, 'cron agent'):
        os.kill(pid, signal.SIGKILL)


def freeze_agent(world, victim, seconds):
    """SIGSTOP of its cron agent alone: the workers live."""
    pids = world.titled(victim, 'cron agent')
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    return lambda: [os.kill(pid, signal.SIGCONT) for pid in pids if os.path.exists('/proc/%d' % pid)]


def kill_worker(world, victim, seconds):
    """SIGKILL of its cron workers."""
    for pid in world.titled(victim, 'cron worker'):
        os.kill(pid, signal.SIGKILL)


def cut_from_redis(world, victim, seconds):
    """Its way to Redis swallows everything."""
    world.cables.pull(victim, REDIS)
    return lambda: world.cables.put_back(victim, REDIS)


def cut_from_postgres(world, victim, seconds):
    """Its way to PostgreSQL swallows everything."""
    world.cables.pull(victim, POSTGRES)
    return lambda: world.cables.put_back(victim, POSTGRES)


def cut_from_both(world, victim, seconds):
    """The whole node is off the network, and goes on."""
    mend = [cut_from_redis(world, victim, seconds), cut_from_postgres(world, victim, seconds)]
    return lambda: [each() for each in mend]


def clock_jumps_ahead(world, victim, seconds):
    """The node's wall clock is an hour ahead of everybody's."""
    world.clocks[victim].jump(HOUR)
    return lambda: world.clocks[victim].jump(0)


def clock_jumps_back(world, victim, seconds):
    """The node's wall clock is an hour behind everybody's."""
    world.clocks[victim].jump(-HOUR)
    return lambda: world.clocks[victim].jump(0)


def freeze_redis(world, victim, seconds):
    """SIGSTOP of the one Redis."""
    world.redis.pause()
    return world.redis.resume


def flush_redis(world, victim, seconds):
    """FLUSHALL."""
    world.redis_now.ask('FLUSHALL')


def restart_redis_with_data(world, victim, seconds):
    """SIGKILL; started again with its append-only file."""
    world.redis.kill_all()
    return world.redis.start


def restart_redis_without_data(world, victim, seconds):
    """SIGKILL; started again empty."""
    world.redis.lose_data()
    return world.redis.start


def failover(world, victim, seconds):
    """SIGKILL of the master; the Sentinels promote the replica, which has all."""
    return _fail_over(world, world.redis_now)


def failover_that_loses_the_lease(world, victim, seconds):
    """The replica lags: it has neither lease nor term when the master is killed and it is promoted."""
    master, replica = world.trio.present()
    master.pause()  # nothing more reaches the replica
    replica.ask('CONFIG', 'SET', 'replica-read-only', 'no')
    replica.ask('DEL', 'oe:lease:cron', 'oe:term:cron')
    assert replica.ask('EXISTS', 'oe:lease:cron', 'oe:term:cron') == '0'
    return _fail_over(world, master)


def failover_with_a_sleeping_master(world, victim, seconds):
    """The master is stopped until the Sentinels have given it up, then wakes and believes to be it."""
    master, replica = world.trio.present()
    master.pause()
    try:
        _wait_for_promotion(world, replica)
    finally:
        master.resume()


def _fail_over(world, master):
    master.kill_all()
    _wait_for_promotion(world, world.trio.replica if master is world.trio.master else world.trio.master)
    return lambda: world.trio.rejoin(master)


def _wait_for_promotion(world, replica):
    wait_until(lambda: world.trio.master_port() == replica.port
               and 'role:master' in replica.ask('INFO', 'replication'), 40, "the replica is promoted")


OF_A_NODE = (kill_node, stop_node, freeze_node, kill_agent, freeze_agent, kill_worker, cut_from_redis,
             cut_from_postgres, cut_from_both, clock_jumps_ahead, clock_jumps_back, flush_redis)
OF_ONE_REDIS = (freeze_redis, restart_redis_with_data, restart_redis_without_data)
OF_SENTINELS = (failover, failover_that_loses_the_lease, failover_with_a_sleeping_master)
#: while these last nobody can lead
OF_THE_WHOLE_CLUSTER = OF_ONE_REDIS + OF_SENTINELS
EVERY = OF_A_NODE + OF_THE_WHOLE_CLUSTER


#: CHAOS_FAULTS=kill_node,failover: only these, to look at one more closely
ONLY = [name for name in os.environ.get('CHAOS_FAULTS', '').split(',') if name]


def choose(world, chance):
    """One fault that this world can have. A third of them are of the whole cluster."""
    of_redis = OF_SENTINELS if world.trio else OF_ONE_REDIS
    of_a_node = OF_A_NODE
    if world.trio and not world.cables.cut_what_sentinels_name:
        of_a_node = [each for each in OF_A_NODE if each not in (cut_from_redis, cut_from_both)]
    if ONLY:
        return chance.choice([each for each in list(of_a_node) + list(of_redis) if each.__name__ in ONLY])
    return chance.choice(of_redis if chance.random() < 0.33 else of_a_node)
