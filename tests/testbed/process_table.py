# -*- coding: utf-8 -*-
"""What /proc says about processes: alive or not, which incarnation, which family."""
import collections
import os

Entry = collections.namedtuple('Entry', 'pid parent session state started')


def entry(pid):
    """The process `pid`, or None when there is none (a zombie counts as none)."""
    try:
        with open('/proc/%d/stat' % pid) as stat:
            fields = stat.read().rpartition(')')[2].split()
    except (IOError, OSError):
        return None
    if fields[0] in 'ZX':
        return None
    return Entry(pid, int(fields[1]), int(fields[3]), fields[0], int(fields[19]))


def everybody():
    """All live processes."""
    found = (entry(int(name)) for name in os.listdir('/proc') if name.isdigit())
    return [process for process in found if process]


def family(leader):
    """The pids of `leader`, its descendants and every process of its session, leader first.

    The session finds orphans whose master was killed; the descent finds children that opened a
    session of their own, as PostgreSQL's do.
    """
    processes = everybody()
    members = [process.pid for process in processes
               if process.pid == leader or process.session == leader]
    for _generation in range(8):
        more = [process.pid for process in processes
                if process.parent in members and process.pid not in members]
        if not more:
            break
        members += more
    return sorted(members, key=lambda pid: (pid != leader, pid))


def started(pid):
    """The boot-relative start time of `pid` in clock ticks; 0 when it does not live.

    A pid together with its start time names one process for ever.
    """
    process = entry(pid)
    return process.started if process else 0


def title(pid):
    """The command line of `pid`, as it (or setproctitle) shows itself."""
    try:
        with open('/proc/%d/cmdline' % pid, 'rb') as cmdline:
            return cmdline.read().replace(b'\0', b' ').decode('utf-8', 'replace').strip()
    except (IOError, OSError):
        return ''


def serves_a_connection(pid, port):
    """Whether a process has an open connection of the port that it or its master listens on."""
    inodes = set()
    with open('/proc/net/tcp') as table:
        for line in list(table)[1:]:
            fields = line.split()
            if int(fields[1].split(':')[1], 16) == port and fields[3] != '0A':
                inodes.add('socket:[%s]' % fields[9])
    try:
        links = [os.readlink('/proc/%d/fd/%s' % (pid, number)) for number in os.listdir('/proc/%d/fd' % pid)]
    except OSError:
        return True
    return bool(inodes.intersection(links))
