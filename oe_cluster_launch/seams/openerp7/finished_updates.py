# -*- coding: utf-8 -*-
"""Which -i and -u another node has finished while this one waited for the update lock.

All nodes of a cluster may be started with the same -u at once. The first does
the work and leaves a note; one that waited for it, wants nothing more, and has
the same addons, does not do it again. Without Redis each does its own, one
after the other: slower, never wrong.
"""
import json
import logging
import uuid

from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.seams.openerp7.profile import addons_fingerprint

#: a note is for nodes that wait now; they cannot have waited longer
NOTE_SECONDS = 3600

_logger = logging.getLogger(__name__)


class FinishedUpdates(object):
    """The notes about one database, for one update of this node.

    :param store: a Store; its connections are the caller's to close
    """

    def __init__(self, host, store, database):
        self._host = host
        self._store = store
        self._key = store.keys.finished_update(database)
        self._before = {}

    def look(self):
        """Called before waiting: what was finished by then does not count."""
        self._before = self._read()

    def cover(self, wanted):
        """Whether an update finished since :meth:`look` did all that is wanted here."""
        note = self._read()
        return bool(note and note['id'] != self._before.get('id') and note['addons'] == self._addons()
                    and all(set(names) <= set(note[kind]) for kind, names in wanted.items()))

    def tell(self, wanted):
        """This node has finished an update."""
        note = {'id': uuid.uuid4().hex, 'addons': self._addons()}
        note.update((kind, sorted(names)) for kind, names in wanted.items())
        try:
            self._store.client().set(self._key, json.dumps(note), ex=NOTE_SECONDS)
        except RedisUnavailable as error:
            _logger.warning("other nodes that wait will update again: %s", error)

    def _read(self):
        try:
            text = self._store.client().get(self._key)
        except RedisUnavailable as error:
            _logger.warning("cannot see what other nodes have updated: %s", error)
            return {}
        return json.loads(native(text)) if text else {}

    def _addons(self):
        return addons_fingerprint(self._host.config['addons_path'].split(','))
