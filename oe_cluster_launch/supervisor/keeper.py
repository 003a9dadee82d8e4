# -*- coding: utf-8 -*-
"""The keeper: the process whose pid the operator knows, while masters come and go.

It keeps the listening sockets, the pid file and the line to systemd, and runs
one master at a time, which is another process image of this program. A
reload is a new master that boots beside the old one, with code and
configuration as they are now; only when its workers answer is the old one
told to leave. One that fails to boot changes nothing. The decisions are here;
`keeper_io.py` has what they are carried out with. It never loads the host.
"""
import logging
import os
import signal
import time

from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.errors import EXIT_FAILURE, EXIT_OK, EXIT_SOFTWARE
from oe_cluster_launch.supervisor import keeper_io
from oe_cluster_launch.supervisor.titles import set_title

_logger = logging.getLogger(__name__)

#: a master that was ready and died is started again after 1, 2, 4 ... at most so many seconds
LONGEST_BACKOFF_SECONDS = 30
#: a master that serves this long has recovered
RECOVERED_SECONDS = 60
#: a silent master does not feed systemd's watchdog
SILENT_SECONDS = 20
FORWARDED = (signal.SIGTTIN, signal.SIGTTOU, signal.SIGQUIT)
#: to a master: leave, your successor has the sockets
RETIRE = signal.SIGWINCH


class Keeper(object):
    """The decisions: what a signal, a report or an end leads to."""

    def __init__(self, resources):
        self.io = resources
        self.serving = None        # the master whose workers answer
        self.booting = None        # the one that shall replace it, or the very first
        self.retiring = []         # those that only finish what they have begun
        self.reload_wanted = False
        self.reexec_wanted = False
        self.stop_signals = 0
        self.ever_ready = False
        self.failures = 0
        self.start_at = 0.0
        self.deferred = []
        self.exit_code = None

    def run(self):
        """Until told to stop, or until the first master cannot boot; returns the exit code."""
        self.serving = self.io.adopted
        self.retiring = list(self.io.adopted_retiring)
        self.ever_ready = self.serving is not None
        self.reload_wanted = self.ever_ready  # after a change of the keeper itself
        self.title('starting')
        while self.exit_code is None:
            try:
                self._pass()
            except Exception:  # our end would be the node's
                _logger.exception("the keeper failed at something, and goes on")
                time.sleep(1.0)
        self.io.close()
        return self.exit_code

    def _pass(self):
        self._act()
        for number in self.io.wait(self.masters):
            self.on_signal(number)
        for master in list(self.masters):
            for report in master.reports():
                self.on_report(master, report)
        for pid, status in self.io.reap():
            self.on_end(pid, status)

    @property
    def masters(self):
        return [master for master in [self.serving, self.booting] + self.retiring if master]

    def title(self, state):
        set_title(self.io.node_name, 'keeper', state)
        self.io.notifier.status(state)

    def _act(self):
        """What follows from the state, on every pass."""
        if self.stop_signals:
            if not self.masters:
                self.exit_code = EXIT_OK if self.ever_ready else EXIT_FAILURE
            return
        if self.reexec_wanted and self.serving and not self.booting:
            self.reexec_wanted = self.io.become_new_keeper(self.serving, self.retiring)
        if not self.booting and monotonic() >= self.start_at and (
                self.reload_wanted or not self.serving):
            self.reload_wanted = False
            self.booting = self.io.start_master(again=self.ever_ready)
        if self.serving and monotonic() - self.serving.heard_at < SILENT_SECONDS:
            self.io.notifier.alive()
        for master in self.retiring:
            if master.kill_at and monotonic() > master.kill_at:
                master.kill_at = None
                _logger.warning("old master %d did not leave in time: killed", master.pid)
                master.send(signal.SIGKILL)

    def on_signal(self, number):
        """Obey an operator, systemd, or a process of this node."""
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stop()
        elif number == signal.SIGHUP:
            _logger.info("reload asked for%s", ", after the one that is going on"
                         if self.booting else "")
            self.reload_wanted = True
        elif number == signal.SIGUSR2:
            _logger.info("change to a new version of the launcher asked for")
            self.reexec_wanted = True
        elif number == signal.SIGUSR1:
            _logger.info("SIGUSR1: nothing to do, a rotated log file is found without it")
        elif number in FORWARDED:
            if self.serving:
                self.serving.send(number)
            else:
                self.deferred.append(number)  # a master that boots has no handlers yet

    def _stop(self):
        self.stop_signals += 1
        _logger.info("stop asked for%s", "" if self.stop_signals == 1 else ", again: forced")
        self.io.notifier.tell(STOPPING=1)
        self.title('stopping')
        for master in self.masters:
            if self.stop_signals > 2:
                master.send(signal.SIGKILL)
            else:
                master.send(signal.SIGTERM)

    def on_report(self, master, report):
        """Take note of what a master has to say."""
        said = report.pop('say')
        if said == 'booted':
            self.io.configure(**report)
        elif said == 'listening':
            master.descriptors = report['descriptors']
        elif said == 'status' and master is self.serving:
            self.title(report['text'])
        elif said == 'ready' and master is self.booting:
            self._take_over(master)

    def _take_over(self, master):
        old, self.serving, self.booting = self.serving, master, None
        master.ready = True
        self.ever_ready = True
        self.io.keep_sockets(master.descriptors)
        self.io.write_pidfile()
        if old:
            self.retiring.append(old)
            old.retire(RETIRE)
        _logger.info("node %s is ready: master %d%s", self.io.node_name, master.pid,
                     ", the old master %d finishes its requests and leaves" % old.pid if old else "")
        self.io.notifier.tell(READY=1)
        while self.deferred:
            master.send(self.deferred.pop(0))

    def on_end(self, pid, status):
        """A master has ended: was it meant to?"""
        ended = [master for master in self.masters if master.pid == pid]
        if not ended:
            return
        master = ended[0]
        master.close()
        how = keeper_io.how_it_ended(status)
        if master in self.retiring:
            self.retiring.remove(master)
            _logger.info("old master %d has left", pid)
        elif master is self.booting:
            self.booting = None
            self._boot_failed(pid, status, how)
        else:
            self.serving = None
            if not self.stop_signals:
                if monotonic() - master.started_at > RECOVERED_SECONDS:
                    self.failures = 0
                self._back_off("master %d %s" % (pid, how))

    def _boot_failed(self, pid, status, how):
        if self.stop_signals:
            return
        if self.serving:
            _logger.error("the reload failed: the new master %d %s before it was ready; its own "
                          "lines above say why. Master %d goes on serving as before.",
                          pid, how, self.serving.pid)
            self.io.notifier.status("ready, but the last reload failed")
        elif self.ever_ready:
            self._back_off("the new master %d %s before it was ready" % (pid, how))
        else:
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else EXIT_SOFTWARE
            self.exit_code = code  # also 0: the work was done once, as with --stop-after-init

    def _back_off(self, what):
        pause = min(2 ** self.failures, LONGEST_BACKOFF_SECONDS)
        self.failures += 1
        self.start_at = monotonic() + pause
        _logger.error("%s; a new one is started in %d s", what, pause)
        self.title('waiting to restart')
