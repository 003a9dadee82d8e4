# -*- coding: utf-8 -*-
"""systemd's files for the nodes of one machine, from the settings of one of them."""
import math
import os

from oe_cluster_launch.deployment import words
from oe_cluster_launch.deployment.node_file import NodeFile
from oe_cluster_launch.deployment.render import render

#: kind -> the file's name
FILES = {'service': 'oe-cluster@.service', 'socket': 'oe-cluster@.socket', 'target': 'oe-cluster.target'}
USER = 'openerp'
CONFIGURATION_FOLDER = '/etc/oe-cluster'
#: what the unit gives a node to write to
PROVIDED = ('/run/oe-cluster/', '/var/log/oe-cluster/', '/tmp/', '/var/tmp/')
HOMES = ('/home/', '/root/', '/run/user/')
#: beyond drain_seconds and graceful_timeout: workers that must be killed, the lease given up
STOP_MARGIN_SECONDS = 60


def unit(kind, settings, launcher, folder=None):
    """The text of one of FILES.

    :param launcher: absolute path of the program to start
    :param folder: where the nodes' configurations are; default: where this one was read
    """
    node = NodeFile(settings.path)
    folder = folder or (os.path.dirname(os.path.abspath(settings.path)) if settings.path
                        else CONFIGURATION_FOLDER)
    written = set(os.path.dirname(path) for path in node.written_paths).union(settings.shared_paths)
    seen = [launcher, folder] + sorted(written) + node.read_paths
    return render(
        FILES[kind],
        folder=words.path(folder, '-c'), launcher=words.path(launcher, 'launcher'),
        user=settings.user or USER, group=settings.group or settings.user or USER,
        stop_seconds=int(math.ceil(settings.drain_seconds + settings.graceful_timeout)) + STOP_MARGIN_SECONDS,
        protect_home='read-only' if any((path + '/').startswith(HOMES) for path in seen) else 'yes',
        writable=[words.path(path, 'path') for path in sorted(written)
                  if not (path + '/').startswith(PROVIDED)],
        address=words.shown((node.interface, node.port)) if node.interface else node.port,
        backlog=settings.backlog)
