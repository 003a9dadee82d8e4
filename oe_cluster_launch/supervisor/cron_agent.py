# -*- coding: utf-8 -*-
"""The cron agent as a supervised child: puts lease, crew and membership together.

Every node has one, also with cron = never: it keeps the node's record. A new
agent of the same master finds the lease of one that died by the token that
the master made, and takes it over at once.
"""
import uuid

from oe_cluster_launch import __version__
from oe_cluster_launch.cluster.membership import Membership
from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron import lease
from oe_cluster_launch.cron.agent import Agent
from oe_cluster_launch.cron.crew import Crew
from oe_cluster_launch.cron.duty import MOST_WORKERS
from oe_cluster_launch.errors import ConfigurationError
from oe_cluster_launch.seams.openerp7 import profile
from oe_cluster_launch.seams.openerp7.cron import CronWork
from oe_cluster_launch.store import Store
from oe_cluster_launch.store.subscription import Subscription
from oe_cluster_launch.supervisor import board, figures, stacks, temporary
from oe_cluster_launch.supervisor.child import ChildProcess
from oe_cluster_launch.supervisor.load import Load
from oe_cluster_launch.supervisor.titles import set_title

#: after running jobs have had graceful_timeout: time to say good-bye
FAREWELL_SECONDS = 5


class LeaseOnBoard(lease.Lease):
    """The lease, with its end kept where `/_cluster/leader` reads it: true at every instant."""

    def __init__(self, slot, *arguments):
        self._slot = slot
        super(LeaseOnBoard, self).__init__(*arguments)

    @property
    def expires_at(self):
        return self._slot.shown('lease_until')

    @expires_at.setter
    def expires_at(self, moment):
        self._slot.show('lease_term', self.term)
        self._slot.show('lease_until', moment)


class CronAgent(ChildProcess):
    """Made in the master before any fork; `join` is called there before the node serves."""

    role = 'cron agent'
    kind = board.CRON_AGENT

    def __init__(self, node):
        super(CronAgent, self).__init__(node)
        self._cron_workers = min(int(node.host.config['max_cron_threads'] or 0), MOST_WORKERS - 1)
        settings = self._settings = (node.settings if self._cron_workers else
                                     node.settings.replace(cron='never'))
        self.watchdog_seconds = 10 * settings.cron_renew_interval + 30
        self.stop_seconds = settings.graceful_timeout + FAREWELL_SECONDS
        self._token = uuid.uuid4().hex
        self._store = Store(settings, lease.timeout_seconds(settings), 'cron')
        record = self._profile()
        figures.introduce(node, record['addons'])
        self._membership = Membership(self._store, settings, node.name, self._token, record)

    def join(self):
        """In the master, before the fork: refuse to be a member where that is unsafe.

        :raises ConfigurationError: the times of the lease do not fit together
        :raises JoinRefused: the members that are there do not fit with this node
        """
        wrong = list(lease.faults(self._settings))
        if wrong:
            raise ConfigurationError(wrong, self._settings.path)
        try:
            self._membership.join()
        finally:
            self._store.close()

    def run(self):
        """In the child."""
        node, settings = self.node, self._settings
        work = CronWork(node.host, settings)
        crew = Crew(work, self._cron_workers, watch=work.watch,
                    job_seconds=settings.limit_time_cron_real,
                    memory_bytes=int(node.host.config['limit_memory_hard']),
                    after_fork=self._in_worker, before_exit=temporary.leave,
                    set_title=self._set_title)
        held = LeaseOnBoard(self.slot, self._store, settings, node.name, self._token)
        bell = Subscription(self._store, self._store.keys.cron_bell)
        Agent(settings, node.name, held, crew, bell, self._membership,
              heartbeat=self.beat, set_title=self._set_title, figures=Load(self.board).figures).run()

    def ended(self, arbiter, how):
        """No pause for the first death, nor for one that came late: cron must be back within two seconds.

        An agent that lived for a renew interval has done its work; only one
        that dies again and again at its start is made to wait.
        """
        settled = monotonic() - self.started_at > self._settings.cron_renew_interval
        super(CronAgent, self).ended(arbiter, how)
        if settled:
            self.failures = 0
        if self.failures <= 1:
            self.start_at = monotonic()

    def _in_worker(self):
        stacks.dump_on_signal('cron worker')
        self._store.close()
        temporary.enter()

    def _set_title(self, role, state):
        set_title(self.node.name, role, state)

    def _profile(self):
        node = self.node
        record = profile.describe(node.host)
        if node.status_address:
            record['status_address'] = '%s:%d' % node.status_address
        record.update(version=__version__, cron=self._settings.cron, priority=self._settings.cron_priority,
                      keys=list(node.sealing.fingerprints))
        return record
