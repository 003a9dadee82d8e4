# -*- coding: utf-8 -*-
"""systemd's sd_notify protocol: one datagram of KEY=value lines to $NOTIFY_SOCKET.

Used by the keeper only, so that NotifyAccess=main is enough. Without
systemd every call does nothing.
"""
import logging
import os
import socket

from oe_cluster_launch.compat import monotonic, to_bytes

_logger = logging.getLogger(__name__)


class Notifier(object):
    """Tells systemd how the node is."""

    def __init__(self, environ=os.environ):
        address = environ.get('NOTIFY_SOCKET')
        # a leading @ means Linux's abstract namespace
        self._address = '\0' + address[1:] if address and address[0] == '@' else address
        self._said = None
        self._next_watchdog = 0.0
        self.watchdog_seconds = self._watchdog(environ)

    @staticmethod
    def _watchdog(environ):
        """Half of systemd's interval, as its manual recommends; None when it is not for us."""
        if environ.get('WATCHDOG_PID') not in (None, str(os.getpid())):
            return None
        try:
            return int(environ.get('WATCHDOG_USEC', '')) / 2e6
        except ValueError:
            return None

    def tell(self, **variables):
        """Send some variables, such as READY=1. Never raises: the node matters more."""
        if not self._address:
            return
        message = '\n'.join('%s=%s' % item for item in sorted(variables.items()))
        try:
            sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                sender.sendto(to_bytes(message), self._address)
            finally:
                sender.close()
        except (socket.error, OSError) as error:
            _logger.warning("systemd was not told %s: %s", message, error)

    def status(self, sentence):
        """The line `systemctl status` shows; sent when it changes."""
        if sentence != self._said:
            self._said = sentence
            self.tell(STATUS=sentence)

    def alive(self):
        """Feed systemd's watchdog, when there is one and it is time."""
        if self.watchdog_seconds and monotonic() >= self._next_watchdog:
            self._next_watchdog = monotonic() + self.watchdog_seconds
            self.tell(WATCHDOG=1)
