# -*- coding: utf-8 -*-
"""A folder for temporary files of each worker's own, gone when the worker is.

OpenERP's addons name files by the time of day in the machine's common folder
(fault 20): two workers that print in the same moment write one file. The
folder's name says which process it belongs to, so that what a killed worker
has left is removed by the next one that starts. In a worker, after the fork;
HTTP workers and cron workers alike.
"""
import atexit
import errno
import logging
import os
import re
import shutil
import tempfile

_NAME = re.compile(r'^oe-[a-z]+-(\d+)-(\d+)-(\d+)-')

_logger = logging.getLogger(__name__)


def enter():
    """Give this process a folder; its children (wkhtmltopdf, say) inherit it as TMPDIR."""
    common = tempfile.gettempdir()
    remove_left_behind(common)
    pid = os.getpid()
    folder = make('worker', common)
    tempfile.tempdir = folder
    os.environ['TMPDIR'] = folder
    atexit.register(_leave, folder, pid)


def leave():
    """Remove the folder now, in a process that ends without Python's exit handlers (os._exit)."""
    _leave(tempfile.tempdir, os.getpid())


def make(purpose, common=None):
    """A new folder that belongs to this process; when that has ended, whoever starts next removes it."""
    pid = os.getpid()
    prefix = 'oe-%s-%d-%d-%d-' % (purpose, _namespace(), pid, _started(pid))
    return tempfile.mkdtemp(prefix=prefix, dir=common)


def make_for_keeper(purpose):
    """A folder that lasts as long as the keeper; None, and why in the log, when there can be none."""
    try:
        remove_left_behind(tempfile.gettempdir())
        return make(purpose)
    except EnvironmentError as error:
        _logger.error("no folder for %s: %s", purpose, error)
        return None


def remove(folder):
    """Remove a folder, if there is one."""
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def _leave(folder, pid):
    # a child that was forked from us shares it, and does not own it
    if os.getpid() == pid and _owner(folder) == pid:
        shutil.rmtree(folder, ignore_errors=True)


def _owner(folder):
    match = _NAME.match(os.path.basename(folder or ''))
    return int(match.group(2)) if match else None


def remove_left_behind(common):
    """Remove our user's folders whose process has ended. Those of other containers are left alone."""
    for name in os.listdir(common):
        match = _NAME.match(name)
        if not match:
            continue
        namespace, pid, started = (int(part) for part in match.groups())
        path = os.path.join(common, name)
        if namespace == _namespace() and _started(pid) != started and _is_ours(path):
            _logger.debug("removing %s, left behind by worker %d", path, pid)
            shutil.rmtree(path, ignore_errors=True)


def _is_ours(path):
    try:
        return os.lstat(path).st_uid == os.geteuid()
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return False


def _started(pid):
    """When a process started, in ticks since the machine did; 0 when there is none."""
    try:
        with open('/proc/%d/stat' % pid) as source:
            return int(source.read().rpartition(')')[2].split()[19])
    except EnvironmentError:
        return 0


def _namespace():
    """The number of our PID namespace: a container's process 7 is not the machine's."""
    return os.stat('/proc/self/ns/pid').st_ino
