# -*- coding: utf-8 -*-
"""This machine: limits of files and processes, the kernel, its queue of connections.

The limits are those of the running node, if it runs; else of this shell, which
need not be those that systemd gives the node.
"""
import os
import platform
import resource
import socket

from oe_cluster_launch.check.result import fail, ok, warn
from oe_cluster_launch.supervisor import linux

#: a process needs its connections to PostgreSQL and Redis, its log, sockets, pipes and imports
FEWEST_FILES, ENOUGH_FILES = 256, 1024
#: processes beside the workers: keeper, master, watcher, cron agent, and spare
BESIDE_WORKERS = 6


def open_files(context):
    """nofile: enough for connections, logs and requests."""
    limit, whose = _limit(context, 'Max open files', resource.RLIMIT_NOFILE)
    remedy = "Set LimitNOFILE=65536 in the unit, or ulimit -n"
    if limit is not None and limit < FEWEST_FILES:
        return fail("%d for %s, and one process needs up to %d" % (limit, whose, FEWEST_FILES), remedy,
                    'nofile', limit)
    if limit is not None and limit < ENOUGH_FILES:
        return warn("%d for %s: long lists of databases or reports may need more" % (limit, whose), remedy,
                    'nofile', limit)
    return ok("%s for %s" % ('no limit' if limit is None else limit, whose))


def processes(context):
    """nproc: enough for the workers, twice while a reload runs old and new ones side by side."""
    limit, whose = _limit(context, 'Max processes', resource.RLIMIT_NPROC)
    host = context.host
    needed = host.workers + int(host.config['max_cron_threads'] or 0) + BESIDE_WORKERS
    return judge_processes(limit, whose, needed, _threads_of(os.getuid()), bool(context.running_here()))


def judge_processes(limit, whose, needed, used, is_running):
    """The result for a limit (None is none) and `used` processes and threads of the user."""
    if limit is None:
        return ok("no limit for %s" % whose)
    generations = 1 if is_running else 2  # of this node, to come
    left = limit - used
    sentence = "%d for %s: %d are left, a node needs %d, and again as many during a reload" % (
        limit, whose, max(0, left), needed)
    remedy = "Set LimitNPROC (and TasksMax) in the unit, or ulimit -u, to %d or more" % (used + 4 * needed)
    if left < needed * (generations - 1):
        return fail(sentence, remedy, 'nproc', limit)
    if left < needed * generations:
        return warn(sentence, remedy, 'nproc', limit)
    return ok(sentence)


def kernel(context):
    """A stopping node can refuse new connections without losing those that wait (Linux 5.7)."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind(('127.0.0.1', 0))
        listener.listen(1)
        return judge_kernel(linux.refuse_new_connections(listener), platform.release())
    finally:
        listener.close()


def judge_kernel(can_refuse, release):
    if can_refuse:
        return ok("Linux %s: a stop loses no connection" % release)
    return warn("Linux %s: connections that wait to be accepted when a node stops are reset" % release,
                "Use Linux 5.7 or later, or set drain_seconds longer than two health checks of the load "
                "balancer")


def backlog(context):
    """The kernel lets as many connections wait as `backlog` says."""
    wanted = context.settings.backlog
    with open('/proc/sys/net/core/somaxconn') as source:
        most = int(source.read())
    if most < wanted:
        return warn("the kernel lets only %d connections wait (net.core.somaxconn)" % most,
                    "sysctl -w net.core.somaxconn=%d, and in /etc/sysctl.d" % wanted, 'backlog', wanted)
    return ok("%d connections may wait" % wanted)


def _limit(context, name, number):
    """(soft limit or None, whose it is)."""
    running = context.running_here()
    if running:
        try:
            return _limit_of_process(running['pid'], name), "the running node"
        except (EnvironmentError, ValueError):
            pass  # not our process: another container's, say
    soft = resource.getrlimit(number)[0]
    return (None if soft == resource.RLIM_INFINITY else soft), "this shell"


def _limit_of_process(pid, name):
    with open('/proc/%d/limits' % pid) as source:
        for line in source:
            if line.startswith(name):
                soft = line[len(name):].split()[0]
                return None if soft == 'unlimited' else int(soft)
    raise ValueError(name)


def _threads_of(user):
    """Processes and threads of a user, as the kernel counts them against nproc."""
    count = 0
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                if os.stat('/proc/%s' % name).st_uid == user:
                    count += len(os.listdir('/proc/%s/task' % name))
            except EnvironmentError:
                continue  # it has ended
    return count
