# -*- coding: utf-8 -*-
"""The boot of one node, as a list of steps in the only order that works.

Everything here happens in the master, before any fork, in one thread. What
each step needs is done by the step before it; docs/architecture.md says why
in prose. The host is chosen here and nowhere else.
"""
import logging
import os
import socket
import threading

from oe_cluster_launch import privileges, shared_paths, shared_state
from oe_cluster_launch.cluster import broadcast
from oe_cluster_launch.errors import ConfigurationError, HostFailure
from oe_cluster_launch.health import address
from oe_cluster_launch.metrics import page
from oe_cluster_launch.ormcache.meter import meter
from oe_cluster_launch.seams.openerp7.host import Host
from oe_cluster_launch.seams.seam import AFTER_ADDONS, BEFORE_ADDONS, SeamTable
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.supervisor import garbage, log

_logger = logging.getLogger(__name__)


class Node(object):
    """This node: what the steps know and hand to each other, and later to the supervisor.

    It is also the context that seams get: settings, store, sealing, host and name.

    :ivar arguments: the host's command line, `-c FILE` included
    :ivar handover: what the keeper has given this master
    :ivar finished: the work was done once (-u --stop-after-init); do not serve
    """

    def __init__(self, config_path, arguments, handover=None):
        self.config_path = config_path
        self.arguments = arguments
        self.settings = None
        self.host = None
        self.seam_table = None
        self.store = None
        self.sealing = None
        self.events_at_boot = 0
        self.finished = False
        self.handover = handover

    def use_log_format(self):
        """Apply `log_format`; after every time the host has set up its handlers."""
        log.use_format(self.settings, self.name)

    @property
    def keeper_pid(self):
        """Whom to send SIGHUP for a rolling reload of this node."""
        return self.handover.keeper_pid

    @property
    def status_address(self):
        """Where the answerer listens: (interface, port), or None."""
        return address.status_address(self.settings, self.host.address)

    @property
    def name(self):
        """`node_name`, else the machine's name and the HTTP port."""
        return self.settings.node_name or '%s-%d' % (socket.gethostname(), self.host.address[1])


def read_settings(node):
    node.settings = load_settings(node.config_path, os.environ)


def start_metrics(node):
    """Before anything imports prometheus_client, which looks once where to count."""
    if node.handover and node.settings.metrics:
        page.start(node.handover.metrics_folder)


def drop_privileges(node):
    privileges.drop(node.settings)


def import_host(node):
    node.host = Host()
    node.host.refuse_root()
    node.host.read_options(node.arguments)
    faults = address.faults(node.settings, node.host.address)
    if faults:
        raise ConfigurationError(faults, node.config_path)


def start_logging(node):
    node.host.start_logging(node.use_log_format)


def prepare_shared_state(node):
    """Everything the seams rely on is there before the first of them is installed."""
    node.store, node.sealing = shared_state.prepare(node.settings)
    node.events_at_boot = broadcast.count(node.store)  # before the code is loaded that may be out of date


def install_early_seams(node):
    """What addons bind while they are imported must be ours before they are."""
    node.host.become_multi_process()
    node.seam_table = SeamTable(node.host.seams)
    node.seam_table.install(BEFORE_ADDONS, node)


def start_services(node):
    node.host.start_services()


def install_late_seams(node):
    node.seam_table.install(AFTER_ADDONS, node)


def do_one_off_work(node):
    if node.handover and node.handover.again:
        node.host.forget_updates()  # an earlier master of this node has done them
    node.finished = node.host.one_off_work(node.store)


def check_shared_folders(node):
    """Folders declared as shared are shared, and attachments lie in one of them, if in files at all."""
    if not node.finished:
        shared_paths.verify(node.store, node.settings.shared_paths, node.name)
        node.host.check_attachments(node.settings)


def preload_registries(node):
    if node.settings.preload and not node.finished:
        node.host.preload()


def prepare_to_fork(node):
    """No connection and no thread may cross the fork; memory shall, and stay shared."""
    node.host.close_connections()
    node.store.close()
    meter.take()  # what the master has looked up is no worker's
    threads = [thread.name for thread in threading.enumerate()]
    if len(threads) != 1 or len(os.listdir('/proc/self/task')) != 1:
        raise HostFailure("Threads are running before the fork: %s. An addon starts one when it is "
                          "imported; set preload = off, or keep it out of server_wide_modules."
                          % ', '.join(threads))
    garbage.settle()


STEPS = [
    read_settings,
    drop_privileges,
    start_metrics,
    import_host,
    start_logging,
    prepare_shared_state,
    install_early_seams,
    start_services,
    install_late_seams,
    do_one_off_work,
    check_shared_folders,
    preload_registries,
    prepare_to_fork,
]


def boot(config_path, arguments, handover=None):
    """Run every step; the node is then ready for the supervisor to fork workers from.

    :raises LaunchError: the first step that cannot be done, as a sentence
    """
    node = Node(config_path, arguments, handover)
    for step in STEPS:
        step(node)
        _logger.debug("boot: %s done", step.__name__)
    return node
