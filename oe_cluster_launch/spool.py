# -*- coding: utf-8 -*-
"""Jobs that one process does and any other may be asked about: reports, new databases.

A job is announced, beats while it is at work, and ends with a value; whoever
is asked finds all of that in Redis. A job that no longer beats is lost, so a
client that polls learns that a node died instead of polling for ever. Knows
nothing of what the jobs are. Values are sealed and bound to their key, so that
one user's report cannot be passed off as another's.
"""
import collections
import contextlib
import logging
import random
import threading

from oe_cluster_launch.compat import native
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.sealing.pickles import Pickles

BEAT_SECONDS = 3.0
#: a job that has been silent for so long is lost; several beats, so that a short outage of Redis is none
LOST_SECONDS = 15.0
#: an answer that was delivered is kept for so long: the client may never have received it
REPEAT_SECONDS = 60.0
#: longest wait for one answer of Redis: values are larger than elsewhere
TIMEOUT_SECONDS = 10.0
#: an id fits a positive 32 bit integer, the only one that XML-RPC knows
LARGEST_ID = 2 ** 31 - 1
#: to write the end of a job, an hour's work perhaps, is tried so often, BEAT_SECONDS apart
END_ATTEMPTS = 20

PENDING, DONE, FAILED, LOST = 'pending', 'done', 'failed', 'lost'

_logger = logging.getLogger(__name__)
_random = random.SystemRandom()

#: what is known of a job: one of the four states; the value it ended with, or how far it is
Seen = collections.namedtuple('Seen', 'state value node')


class Spool(object):
    """The jobs of one kind.

    :param store: its own: values may be large, so every call may take TIMEOUT_SECONDS
    :param node: the name of this node, for the message when it dies
    :param ttl_seconds: how long an ended job is kept, and a silent one remembered
    :param limit_bytes: larger values are refused; 0 is no limit
    """

    def __init__(self, store, sealing, node, ttl_seconds, limit_bytes=0):
        self._store = store
        self._sealing = sealing
        self._pickles = Pickles()
        self._node = node
        self._ttl_milliseconds = int(ttl_seconds * 1000)
        self._limit_bytes = limit_bytes

    def open(self, key_of):
        """Announce a job under an id that nobody can guess.

        :param key_of: function id -> Redis key
        :returns: a :class:`Job`
        :raises RedisUnavailable: nobody could ever ask for its result, so do not begin
        """
        while True:
            job_id = _random.randint(1, LARGEST_ID)
            job = Job(self, job_id, key_of(job_id))
            if self.write(job.key, 'open', PENDING):
                return job

    def look(self, key):
        """A :class:`Seen`, or None when there is no such job (any more)."""
        state, node, silent_milliseconds, token = self._store.run(
            'spool_read', [key], [int(REPEAT_SECONDS * 1000)])
        state, node = native(state), native(node)
        if not state:
            return None
        if state == PENDING and silent_milliseconds > LOST_SECONDS * 1000:
            return Seen(LOST, None, node)
        return Seen(state, self._open_value(key, token), node)

    def _open_value(self, key, token):
        if not token:
            return None
        return self._pickles.load(self._sealing.unseal(token, 'spool', key))

    def write(self, key, act, state, value=None):
        """Write a job's state; False when it is gone (or, for `open`, when the id is taken)."""
        token = b'' if value is None else self._sealing.seal(self._pickles.dump(value), 'spool', key)
        return bool(self._store.run('spool_write', [key], [
            act, state, self._node, self._ttl_milliseconds, token]))

    def fits(self, size_bytes):
        """Whether a value of that size may be kept."""
        return not self._limit_bytes or size_bytes <= self._limit_bytes

    def forget(self, pattern):
        """Delete all jobs whose key matches, those at work included: their end is not written."""
        client = self._store.client()
        for key in client.scan_iter(match=pattern, count=500):
            client.delete(key)


class Job(object):
    """A job of this process.

    :ivar id: what a client asks with
    """

    def __init__(self, spool, job_id, key):
        self.id = job_id
        self.key = key
        self._spool = spool
        self._ended = threading.Event()

    @contextlib.contextmanager
    def at_work(self, progress=lambda: None):
        """Within this block the job beats, from a thread of its own.

        :param progress: called at each beat; what it returns is the value others see
        """
        thread = threading.Thread(target=self._beat, args=(progress,), name='job %d' % self.id)
        thread.daemon = True
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()

    def _beat(self, progress):
        while not self._ended.wait(BEAT_SECONDS):
            try:
                if not self._spool.write(self.key, 'beat', PENDING, progress()):
                    return
            except RedisUnavailable as error:
                _logger.warning("job %d cannot say that it is at work: %s", self.id, error)

    def end(self, state, value):
        """Write how the job ended, DONE or FAILED. Tries for a while when Redis is away."""
        pause = threading.Event()
        for attempt in range(END_ATTEMPTS):
            if attempt:
                pause.wait(BEAT_SECONDS)
            try:
                if not self._spool.write(self.key, 'end', state, value):
                    _logger.info("job %d: nobody can ask for its result any more", self.id)
                return
            except RedisUnavailable as error:
                _logger.warning("the result of job %d cannot be written: %s", self.id, error)


__all__ = ['DONE', 'FAILED', 'LOST', 'PENDING', 'Job', 'Seen', 'Spool']
