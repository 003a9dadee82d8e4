# -*- coding: utf-8 -*-
"""The child that notices when this node's master is out of date, and asks for a reload.

Two reasons: another node says so (restart_server inside OpenERP), or a
database's registry is no longer the one the master has preloaded, so that
every worker forked from now on would load it again at its first request.
It only sends SIGHUP to the keeper; what a reload is, the keeper knows.
"""
import logging
import os
import signal

from oe_cluster_launch.cluster import broadcast
from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.errors import LaunchError, RedisUnavailable
from oe_cluster_launch.metrics import page, table
from oe_cluster_launch.supervisor.child import ChildProcess

_logger = logging.getLogger(__name__)

#: without preloaded registries there is only the channel to listen to
IDLE_SECONDS = 5.0
#: Redis is asked for its own figures this often, or at the pace of refresh_interval
OBSERVE_SECONDS = 5.0
#: after a reload that did not happen: ask again after 1, 2, 4 ... minutes
FIRST_RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 3600.0


class Staleness(object):
    """Decides when a change is worth a reload. No clock and no database of its own.

    :param preloaded: {database: sequence} as the master has loaded them
    """

    def __init__(self, preloaded):
        self._preloaded = dict(preloaded)
        self._last = dict(preloaded)
        self._asked_for = None
        self._ask_again_at = 0.0
        self._retry_seconds = FIRST_RETRY_SECONDS

    def look(self, found, now):
        """Whether to ask for a reload, given the sequences found now.

        Only when they are other than the preloaded ones and the same at two
        looks: an installation moves them several times. A reload that was
        asked for and did not replace us has failed; it is asked for again
        with back-off, at once when something else has changed.
        """
        settled, self._last = found == self._last, found
        if found == self._preloaded or not settled:
            return False
        if found != self._asked_for:
            self._retry_seconds = FIRST_RETRY_SECONDS
        elif now < self._ask_again_at:
            return False
        self._asked_for = found
        self._ask_again_at = now + self._retry_seconds
        self._retry_seconds = min(2 * self._retry_seconds, LONGEST_RETRY_SECONDS)
        return True


class Calls(object):
    """Decides whether there was a call to reload since the master began to load its code.

    :param known: how many there had been then
    """

    def __init__(self, known):
        self._known = known

    def look(self, found):
        """Whether there is a call we have not obeyed, given how many there have been by now.

        Fewer than we know means that Redis lost its data: no reason to reload.
        """
        called, self._known = found > self._known, found
        return called


class Watcher(ChildProcess):
    """One per node."""

    role = 'watcher'
    _observe_at = 0.0

    def run(self):
        interval = self.node.settings.refresh_interval
        preloaded = self.node.host.preloaded_sequences() if interval else {}
        staleness = Staleness(preloaded)
        listener = broadcast.Listener(self.node.store)
        calls = Calls(self.node.events_at_boot)
        look_at = monotonic() + interval
        while not self.stopping:
            self._listen(listener)
            self._observe_redis()
            pause = max(look_at - monotonic(), 0) if preloaded else IDLE_SECONDS
            self.sleep(pause, listener.descriptors())
            callers = [origin for event, origin in listener.heard() if event == broadcast.RELOAD]
            if self._is_called(calls):
                table.RELOADS_ASKED.count('call')
                self._reload("node %s asks for it" % callers[-1] if callers else
                             "a node asked for it while nobody listened here")
            if preloaded and monotonic() >= look_at:
                look_at = monotonic() + interval
                if self._is_stale(staleness, preloaded):
                    table.RELOADS_ASKED.count('registry')
                    self._reload("a registry was changed since this master loaded it")

    def _observe_redis(self):
        """What only the server knows, for the metrics; often enough for whoever asks for those."""
        if not page.is_on() or monotonic() < self._observe_at:
            return
        self._observe_at = monotonic() + OBSERVE_SECONDS
        try:
            found = self.node.store.client().info()
        except RedisUnavailable:
            table.REDIS_UP.set(0)
            return
        table.REDIS_UP.set(1)
        table.REDIS_EVICTED.set(found.get('evicted_keys', 0))
        table.REDIS_MEMORY.set(found.get('used_memory', 0), 'used')
        table.REDIS_MEMORY.set(found.get('maxmemory', 0), 'limit')

    def _is_called(self, calls):
        try:
            return calls.look(broadcast.count(self.node.store))
        except RedisUnavailable as error:
            _logger.debug("cannot ask what the other nodes said: %s", error)
            return False

    def _is_stale(self, staleness, preloaded):
        try:
            found = dict((database, self.node.host.registry_sequence(database))
                         for database in preloaded)
        except LaunchError as error:
            _logger.debug("cannot look at the registries: %s", error)
            return False
        return staleness.look(found, monotonic())

    @staticmethod
    def _listen(listener):
        try:
            listener.listen()
        except RedisUnavailable as error:
            _logger.debug("cannot listen to the other nodes: %s", error)

    def _reload(self, why):
        _logger.info("reloading this node: %s", why)
        os.kill(self.node.keeper_pid, signal.SIGHUP)
