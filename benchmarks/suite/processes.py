# -*- coding: utf-8 -*-
"""The worker processes of a server, and their memory."""
import os
import signal

from testbed.waiting import wait_until

#: how the HTTP workers of the compared systems call themselves
TITLES = ('http worker', 'WorkerHTTP', 'gunicorn: worker')


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
