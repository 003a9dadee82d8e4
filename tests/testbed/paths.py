# -*- coding: utf-8 -*-
"""Where things are: the checkout and the state folder.

The state folder is `.state` in the checkout, or what the environment variable STATE names.
When the account that services run as could not reach it (a clone under a root home that is
closed to others) or its path is too long for Unix sockets, it is a folder under /var/tmp that
is named after the checkout.

  py27/ py3/        virtualenvs, with oe-cluster-launch itself installed into both
  stamps/           one file per installation step that is done, with the hash of what it used
  golden/KEY/       a PostgreSQL data folder with tpl_base and tpl_full, copied for each use
  tests/PID/        one test session: its PostgreSQL, Redis, nodes, their configuration and logs
  demo/             what `make run` started
  running/          one record per started process, to clean up after a session that was killed
  log/              what apt, pip and OpenERP said while they installed
"""
import hashlib
import os
import stat

from .problem import Problem

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A Unix socket's path has at most 107 bytes; ours add `/tests/1234567/postgres/.s.PGSQL.12345`.
LONGEST_STATE_FOLDER = 60


def state_folder():
    """The path of the state folder; it need not exist yet."""
    chosen = os.environ.get('STATE')
    if chosen:
        chosen = os.path.join(CHECKOUT, chosen)
        hindrance = _hindrance(chosen)
        if hindrance:
            raise Problem("STATE=%s cannot be used: %s. Choose another folder, for example "
                          "STATE=/var/tmp/oe-state." % (chosen, hindrance))
        return chosen
    usual = os.path.join(CHECKOUT, '.state')
    return _under_var_tmp() if _hindrance(usual) else usual


def announcement():
    """One line when the state folder is not where one expects it, else ''."""
    usual = os.path.join(CHECKOUT, '.state')
    if os.environ.get('STATE') or state_folder() == usual:
        return ''
    return "State folder: %s (instead of .state: %s)." % (state_folder(), _hindrance(usual))


def state(*parts):
    """A path inside the state folder."""
    return os.path.join(state_folder(), *parts)


def python27(*parts):
    """A path inside the Python 2.7 virtualenv's bin folder."""
    return state('py27', 'bin', *parts)


def python3(*parts):
    """A path inside the Python 3 virtualenv's bin folder."""
    return state('py3', 'bin', *parts)


def _hindrance(folder):
    """Why `folder` cannot be the state folder, as half a sentence, or None."""
    if len(folder) > LONGEST_STATE_FOLDER:
        return "its path is too long for Unix sockets"
    nearest = folder
    while not os.path.isdir(nearest):
        nearest = os.path.dirname(nearest)
    if not os.access(nearest, os.W_OK | os.X_OK):
        return "%s is not writable" % nearest
    while not os.getuid() and nearest != '/':  # an unprivileged account must pass through all
        if not os.stat(nearest).st_mode & stat.S_IXOTH:
            return "%s is closed to other users" % nearest
        nearest = os.path.dirname(nearest)
    return None


def _under_var_tmp():
    owned = '%d:%s' % (os.getuid(), CHECKOUT)
    folder = '/var/tmp/oe-cluster-launch-%s' % hashlib.sha1(owned.encode('utf-8')).hexdigest()[:10]
    try:
        found = os.lstat(folder)
    except OSError:
        return folder
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise Problem("%s exists and is not our folder: remove it, or choose another folder with "
                      "STATE=FOLDER." % folder)
    return folder


def create_state_folder():
    """Create the state folder where it is missing, open to the account; return its path."""
    os.umask(0o022)
    folder = state_folder()
    for part in ('', 'stamps', 'log', 'running', 'golden', 'tests'):
        path = os.path.join(folder, part)
        if not os.path.isdir(path):
            os.makedirs(path, 0o755)
    return folder
