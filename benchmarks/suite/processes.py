# -*- coding: utf-8 -*-
"""The processes of a server: which are its workers, their memory, the processor time they take."""
import os
import signal

from testbed import process_table
from testbed.waiting import wait_until

#: how the HTTP workers of the compared systems call themselves
TITLES = ('http worker', 'WorkerHTTP', 'gunicorn: worker')

TICKS_PER_SECOND = float(os.sysconf('SC_CLK_TCK'))


def http_workers(server):
    """The pids of a server's HTTP workers."""
    return sorted(pid for pid, title in server.titles().items() if any(each in title for each in TITLES))


def replace_worker(server):
    """SIGKILL the only HTTP worker; returns when another one is there."""
    old = http_workers(server)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: [pid for pid in http_workers(server) if pid not in old], 60, "a new worker is there",
               interval_seconds=0.005)


def pss_mb(pids):
    """The proportional set size of processes, in MB: shared pages count in part for each who shares them."""
    return sum(_kilobytes(pid, 'Pss:') for pid in pids) / 1024.0


def _kilobytes(pid, name):
    try:
        with open('/proc/%d/smaps_rollup' % pid) as lines:
            return sum(int(line.split()[1]) for line in lines if line.startswith(name))
    except OSError:
        return 0


def spent(lab, system):
    """Seconds of processor time so far: the system's nodes, PostgreSQL, the system's Redis."""
    everybody = process_table.everybody()
    nodes = sum(_seconds(node.pid, everybody) for node in system.nodes)
    return nodes, _seconds(lab.postgres.pid, everybody), _seconds_of_redis(system.redis)


def _seconds_of_redis(redis):
    """As Redis itself knows it: finer than the kernel's ticks."""
    if not redis:
        return 0.0
    facts = dict(line.split(':') for line in redis.ask('INFO', 'cpu').splitlines() if ':' in line)
    return float(facts['used_cpu_sys']) + float(facts['used_cpu_user'])


def _seconds(leader, everybody):
    """Of a process, its living descendants, and those of them that have ended."""
    members, grew = {leader}, True
    while grew:
        more = {each.pid for each in everybody if each.parent in members} - members
        members |= more
        grew = bool(more)
    total = 0
    for member in members:
        try:
            with open('/proc/%d/stat' % member) as stat:
                total += sum(int(each) for each in stat.read().rpartition(')')[2].split()[11:15])
        except OSError:
            continue
    return total / TICKS_PER_SECOND
