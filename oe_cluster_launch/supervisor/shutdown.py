# -*- coding: utf-8 -*-
"""How a master leaves, as phases: nothing that a client has sent is thrown away.

    stop:   drain (readiness fails) -> close (no new connections) -> leave
    retire: leave, because the successor serves the same sockets

Closing a listening socket resets the connections that wait in the kernel's
queue with requests already on them; nginx would never send a POST again. So
first new connections are refused, then the workers empty the queue, then the
socket ends. Sockets from systemd stay open: what waits there is for the
next start. Runs in the master's main loop, never blocks.
"""
import logging
import signal
import socket

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.supervisor import linux

_logger = logging.getLogger(__name__)

#: handshakes that have begun when new ones are ignored get this long to end
SETTLE_SECONDS = 0.1


class Shutdown(object):
    """One way out of a master.

    :ivar retiring: a successor has the sockets
    :ivar told: the workers have been told to leave
    """

    def __init__(self, arbiter, retiring):
        self.arbiter = arbiter
        self.retiring = retiring
        self.told = False
        self._settings = arbiter.node.settings
        self._until = monotonic() + (0 if retiring else self._settings.drain_seconds)
        self._grace = self._settings.graceful_timeout
        self.state = 'retiring' if retiring else 'draining'
        self._phase = self._leave if retiring else self._drain
        if not retiring:
            arbiter.board.draining = True
        for child in arbiter.children:
            if retiring or not child.leaves_last:
                child.tell_to_leave()
        _logger.info("master %d: %s", arbiter.pid, self.state)

    @property
    def pause_seconds(self):
        """How long the main loop may sleep."""
        return 0.02 if self._phase == self._close else 0.1

    def step(self):
        """Do what is due; True when nothing of this master is left."""
        self._phase()
        if not self.told or self.arbiter.WORKERS:
            return False
        alive = [child for child in self.arbiter.children if child.pid]
        if all(child.leaves_last for child in alive):
            for child in alive:
                child.tell_to_leave()
        return not alive

    def force(self):
        """Wait for nobody: whatever the phase, no worker is replaced any more."""
        self.told = True
        self._until = monotonic()
        self._phase = self._leave

    def _drain(self):
        """Load balancers see that we are not ready; we answer whatever still comes."""
        if monotonic() < self._until:
            return
        if self.arbiter.handover.activated:
            self._phase = self._leave
            return
        for listener in self.arbiter.LISTENERS:
            if not linux.refuse_new_connections(listener):
                _logger.warning("this kernel cannot close the port before the queue is empty: a "
                                "connection that comes at that very moment may be reset")
        self.state = 'closing'
        self._settled_at = monotonic() + SETTLE_SECONDS
        self._until = monotonic() + self._grace
        self._phase = self._close

    def _close(self):
        """Workers take what waits in the kernel; then the port ends, for all processes at once."""
        if monotonic() < self._settled_at:
            return
        waiting = sum(linux.queued_connections(each) for each in self.arbiter.LISTENERS)
        if waiting and monotonic() < self._until:
            return
        if waiting:
            _logger.error("%d connections were not taken within graceful_timeout and are lost",
                          waiting)
        for listener in self.arbiter.LISTENERS:
            listener.shutdown(socket.SHUT_RDWR)
        self._phase = self._leave

    def _leave(self):
        """Workers finish the request they have, then go; late ones are cut off."""
        if not self.told:
            self.told = True
            self.state = 'retiring' if self.retiring else 'stopping'
            self._until = monotonic() + self._grace
            self.arbiter.kill_workers(signal.SIGTERM)
        elif monotonic() > self._until and self.arbiter.WORKERS:
            for pid, worker in self.arbiter.WORKERS.items():
                if not worker.aborted:
                    worker.aborted = True
                    _logger.error("worker %d did not finish within graceful_timeout: cut off", pid)
                self.arbiter.kill_worker(pid, signal.SIGKILL)
