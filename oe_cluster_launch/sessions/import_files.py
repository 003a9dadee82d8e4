# -*- coding: utf-8 -*-
"""Brings the sessions that stock OpenERP left in a folder into Redis, under their own ids.

Nobody is logged out: the cookie a browser has goes on working. Nothing in the
folder is changed. Only sessions in which somebody is signed in are taken; a
session that was imported once is not imported again, so that a log-out after
the first import is not undone by a second one.
"""
import os
import re

from oe_cluster_launch.errors import SealError

_FILE = re.compile(r'^werkzeug_([a-f0-9]{40})\.sess\Z')

IMPORTED, ALREADY_THERE, NOBODY, TOO_OLD, UNREADABLE = (
    'imported', 'imported before', 'nobody signed in', 'too old', 'unreadable')
#: what can become of a file, in the order of a report
OUTCOMES = (IMPORTED, ALREADY_THERE, NOBODY, TOO_OLD, UNREADABLE)


class FileImport(object):
    """Imports files into one session store.

    :param life_seconds: files that were not used for this long are left alone
    """

    def __init__(self, store, sessions, life_seconds):
        self._store = store
        self._sessions = sessions
        self._life_seconds = life_seconds

    def run(self, folder, now):
        """Import every session file of a folder: an iterator of (file name, outcome).

        :param now: the time of day, to compare with when a file was last written
        """
        for name in sorted(os.listdir(folder)):
            match = _FILE.match(name)
            if match:
                path = os.path.join(folder, name)
                yield name, self._import_one(path, match.group(1), now)

    def _import_one(self, path, session_id, now):
        left_seconds = self._life_seconds - (now - os.stat(path).st_mtime)
        if left_seconds <= 0:
            return TOO_OLD
        try:
            values = self._read(path)
        except (SealError, IOError, OSError):
            return UNREADABLE
        policy = self._sessions.policy
        if not any(policy.user(value) for value in values.values()):
            return NOBODY
        client, mark = self._store.client(), self._store.keys.session_imported(session_id)
        if client.exists(mark):
            return ALREADY_THERE
        adopted = self._sessions.adopt(session_id, values, left_seconds)
        client.set(mark, b'1', px=int(self._life_seconds * 1000))
        return IMPORTED if adopted else ALREADY_THERE

    def _read(self, path):
        with open(path, 'rb') as source:
            values = self._sessions.codec.load_plain(source.read())
        if not isinstance(values, dict):
            raise SealError("not a session file")
        return values
