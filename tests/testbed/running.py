# -*- coding: utf-8 -*-
"""Records of started processes, so that nothing outlives a test session that was killed.

One file per process in `running/`, named by its pid. It says who owns the process: a test
session (a pid and its start time), or the demo, which outlives the command that started it.
"""
import errno
import json
import os
import signal
import time

from . import paths, process_table

DEMO = 'demo'


def session_owner():
    """The name under which this Python process owns what it starts."""
    return '%d.%d' % (os.getpid(), process_table.started(os.getpid()))


def record(pid, name, owner):
    """Remember that `owner` started the process `pid`."""
    with open(paths.state('running', str(pid)), 'w') as stream:
        json.dump({'started': process_table.started(pid), 'name': name, 'owner': owner}, stream)


def forget(pid):
    """Drop the record of `pid`."""
    try:
        os.unlink(paths.state('running', str(pid)))
    except OSError:
        pass


def recorded(owner):
    """{name: pid} of the live processes that `owner` started; forgets those that are gone."""
    found = {}
    for pid, entry in _entries():
        if entry['owner'] == owner:
            if process_table.started(pid) == entry['started']:
                found[entry['name']] = pid
            elif not process_table.family(pid):
                forget(pid)
    return found


def send(pids, number):
    """Send the signal `number` to each of `pids` that still lives."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError as error:
            if error.errno != errno.ESRCH:
                raise


def kill_family(pid):
    """SIGKILL `pid` and all that belongs to it, until none is left.

    All are stopped first, so that no master replaces the worker that was just killed.
    """
    deadline = time.time() + 10
    while time.time() < deadline:
        members = process_table.family(pid)
        if not members:
            return
        send(members, signal.SIGSTOP)
        send(process_table.family(pid), signal.SIGKILL)
        time.sleep(0.01)


def sweep():
    """Kill what test sessions that are gone have left behind."""
    for pid, entry in _entries():
        owner_pid, _dot, owner_started = entry['owner'].partition('.')
        if entry['owner'] == DEMO or process_table.started(int(owner_pid)) == int(owner_started):
            continue
        leader = process_table.started(pid)
        if not leader or leader == entry['started']:  # else the number belongs to somebody else
            kill_family(pid)
        forget(pid)


def _entries():
    folder = paths.state('running')
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        try:
            with open(os.path.join(folder, name)) as stream:
                yield int(name), json.load(stream)
        except (IOError, OSError, ValueError):
            continue
