# -*- coding: utf-8 -*-
"""The files that the processes of one node count in, and what becomes of those of dead ones.

prometheus_client gives each process files of its own in one folder and reads
them all when asked. It never removes those of counters, so a node whose workers
are replaced every few thousand requests would gather files for ever. Here a
process's counts are added to the file of those that have ended, and its own
files go. The folder lives as long as the keeper: counters go on over a reload.
"""
import collections
import contextlib
import errno
import fcntl
import os
import time

from oe_cluster_launch.compat import monotonic

#: in place of a process id
ENDED = 'ended'
_LOCK = 'lock'
_LOCK_SECONDS = 2.0
_PAUSE_SECONDS = 0.01


class Busy(Exception):
    """Another process is folding files and does not end."""


def paths(folder):
    """The files that hold counts; one that a process is only just making has none yet."""
    found = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith('.db')]
    return [path for path in found if os.path.getsize(path)]


@contextlib.contextmanager
def reading(folder):
    """While this is held, no file goes away and none is counted twice.

    :raises Busy: somebody folds for longer than that may take
    """
    with open(os.path.join(folder, _LOCK), 'a') as lock:
        until = monotonic() + _LOCK_SECONDS
        while not _locked(lock, fcntl.LOCK_SH):
            if monotonic() > until:
                raise Busy("The files of metrics are locked.")
            time.sleep(_PAUSE_SECONDS)
        yield


def sweep(folder):
    """Fold away the files of processes that have ended. Waits for nobody: called again later.

    :returns: how many files went
    """
    dead = [name for name in os.listdir(folder) if name.endswith('.db') and _has_ended(_owner(name))]
    if not dead:
        return 0
    with open(os.path.join(folder, _LOCK), 'a') as lock:
        if not _locked(lock, fcntl.LOCK_EX):
            return 0
        for kind in sorted(set(name.split('_')[0] for name in dead)):
            gone = [os.path.join(folder, name) for name in dead if name.split('_')[0] == kind]
            if kind != 'gauge':  # what is, is not any more
                _fold(os.path.join(folder, '%s_%s.db' % (kind, ENDED)), gone)
            for path in gone:
                _unlink(path)
    return len(dead)


def _fold(kept, gone):
    """Add the counts of `gone` to `kept`, whose new version appears at once and whole."""
    from prometheus_client.mmap_dict import MmapedDict
    totals, columns = collections.OrderedDict(), 3
    for path in [kept] + gone:
        if os.path.exists(path) and os.path.getsize(path):
            for row in MmapedDict.read_all_values_from_file(path):
                totals[row[0]] = totals.get(row[0], 0.0) + row[1]
                columns = len(row)
    temporary = kept + '.new'
    _unlink(temporary)
    written = MmapedDict(temporary)
    for key, value in totals.items():
        written.write_value(key, value, *[0.0] * (columns - 3))  # later versions keep a time, too
    written.close()
    os.rename(temporary, kept)


def _owner(name):
    """The process id in a file's name, or None."""
    word = name[:-len('.db')].rpartition('_')[2]
    return int(word) if word.isdigit() else None


def _has_ended(pid):
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False


def _locked(lock, how):
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except EnvironmentError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False
    return True


def _unlink(path):
    try:
        os.unlink(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
