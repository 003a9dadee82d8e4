# -*- coding: utf-8 -*-
"""The second level: what one process has computed, all others need not.

Per database and generation there is one log in Redis: a list of batches, each
the committed answers of one request, signed, appended in one round trip. A
process reads what is new since it last looked, in one round trip too, so a
cold worker gets all in bulk. A log nobody reads or writes disappears. Redis
is never asked whether an answer is still true: the generation says that.
"""
import binascii
import collections
import logging
import os

from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import RedisUnavailable, SealError
from oe_cluster_launch.metrics import table
from oe_cluster_launch.ormcache.keys import LocalOnly, canonical
from oe_cluster_launch.ormcache.values import handed_out, is_plain
from oe_cluster_launch.sealing.pickles import Pickles
from oe_cluster_launch.store.breaker import Breaker

_logger = logging.getLogger(__name__)

#: batches read in one round trip; the next request reads on
BATCHES_PER_READ = 2000

#: one answer as nodes exchange it; `key` is canonical
Answer = collections.namedtuple('Answer', 'model method key value')


class _Position(object):
    """How far this process has read one log."""

    def __init__(self, place):
        self.place = place
        self.start_again(None)

    def start_again(self, incarnation):
        self.incarnation = incarnation
        self.next_element = 1


class SharedLevel(object):
    """This process's access to the logs. Made before the fork; connections come after it.

    :ivar counts: answers received and sent, round trips, faults; for statistics
    """

    def __init__(self, store, sealing, ttl_seconds, log_limit_bytes, value_limit_bytes):
        self._store = store
        self._sealing = sealing
        self._pickles = Pickles()
        self._ttl_ms = int(ttl_seconds * 1000)
        self._log_limit = log_limit_bytes
        self._value_limit = value_limit_bytes
        self._positions = {}
        self._reading = Breaker("The shared ormcache in Redis", name='ormcache read')
        self._writing = Breaker("Adding to the shared ormcache in Redis", name='ormcache write')
        self.counts = collections.Counter()

    def fetch(self, name, place):
        """The answers that other processes have added to a log since the last call.

        :param name: the database
        :param place: the pair (identity of the database, generation) as texts
        :returns: a list of :class:`Answer`, empty when Redis is away
        """
        if not self._reading.permits():
            return []
        position = self._position(name, place)
        try:
            batches = self._read(position)
        except RedisUnavailable as error:
            self._reading.failed(error)
            table.ORMCACHE_ERRORS.count('read')
            return []
        self._reading.succeeded()
        answers = [answer for batch in batches for answer in self._opened(batch, place)]
        self.counts['received'] += len(answers)
        table.ORMCACHE_SHARED.add(len(answers), 'received')
        return answers

    def publish(self, name, place, answers):
        """Add a request's committed answers to a log.

        :param answers: triples (model, method, key) to kept value; what no
            other process could use, or is too large, is left out
        """
        if self._reading.is_open or not self._writing.permits():
            return
        shareable = list(self._shareable(answers))
        if not shareable:
            return
        batch = self._sealing.sign(self._pickles.dump(shareable), 'ormcache', *place)
        try:
            reply = self._store.run('cache_publish', [self._store.keys.cache(*place)],
                                    [batch, self._ttl_ms, self._log_limit, _new_incarnation()])
        except RedisUnavailable as error:
            self._writing.failed(error)
            table.ORMCACHE_ERRORS.count('write')
            return
        self._writing.succeeded()
        self.counts['round trips'] += 1
        if reply:
            self.counts['sent'] += len(shareable)
            table.ORMCACHE_SHARED.add(len(shareable), 'sent')
            self._skip_own(self._position(name, place), native(reply[0]), reply[1])

    def _position(self, name, place):
        position = self._positions.get(name)
        if position is None or position.place != place:
            position = self._positions[name] = _Position(place)
        return position

    def _read(self, position):
        key = self._store.keys.cache(*position.place)
        head, batches = self._read_from(key, position.next_element)
        incarnation = native(head).split(' ')[0] if head else None
        if incarnation != position.incarnation:
            start = position.next_element
            position.start_again(incarnation)
            if start != 1:  # the log was dropped and begun anew: what we skipped is not what we know
                _head, batches = self._read_from(key, 1)
        position.next_element += len(batches)
        return batches

    def _read_from(self, key, element):
        self.counts['round trips'] += 1
        # no transaction: a full server refuses those, though it could be read
        pipeline = self._store.client().pipeline(transaction=False)
        pipeline.lindex(key, 0)
        pipeline.lrange(key, element, element + BATCHES_PER_READ - 1)
        pipeline.pexpire(key, self._ttl_ms)
        return pipeline.execute()[:2]

    @staticmethod
    def _skip_own(position, incarnation, length):
        """Our own batch need not be read back, if it is the next one."""
        if position.incarnation in (None, incarnation) and position.next_element == length - 1:
            position.incarnation = incarnation
            position.next_element = length

    def _opened(self, batch, place):
        """The answers of a batch; none of one that was not signed for this place."""
        try:
            return [Answer(*fields)
                    for fields in self._pickles.load(self._sealing.verify(batch, 'ormcache', *place))]
        except (SealError, TypeError) as error:
            self.counts['refused'] += 1
            table.ORMCACHE_SHARED.count('refused')
            _logger.warning("the shared ormcache holds what no node of ours wrote; it is ignored: %s", error)
            return []

    def _shareable(self, answers):
        for (model, method, key), kept in answers:
            value = handed_out(kept)
            try:
                key = canonical(key)
            except LocalOnly:
                continue
            if is_plain(value) and len(self._pickles.dump((key, value))) <= self._value_limit:
                yield (model, method, key, value)


def _new_incarnation():
    return native(binascii.hexlify(os.urandom(8)))
