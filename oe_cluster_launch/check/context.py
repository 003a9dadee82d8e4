# -*- coding: utf-8 -*-
"""What the checks may ask about this node and the cluster.

Made once; every check that runs in a process of its own works on a copy, and
opens its own connections. Settings that are wrong are None and named in
`wrong`; the runner leaves out the checks that need them.
"""
import os
import socket
import time

from oe_cluster_launch.cluster.membership import members
from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.errors import ConfigurationError, PostgresUnavailable, RedisUnavailable
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store

#: a refusal that took so long was no refusal of a database
_SILENCE_SECONDS = 2.0


class Context(object):
    """One run of the doctor.

    :param arguments: the host's command line, `-c FILE` included
    :ivar front_url: where nginx is reached, or None
    :ivar planned_nodes: how many nodes there will be, or None for those of membership
    :ivar now: this machine's clock, in seconds since 1970
    :ivar faults: what was wrong with the settings
    :ivar wrong: the names of the settings that are None for that reason
    """

    def __init__(self, config_path, arguments, front_url=None, planned_nodes=None, now=time.time):
        self.config_path = config_path
        self.arguments = list(arguments)
        self.front_url = front_url
        self.planned_nodes = planned_nodes
        self.now = now
        self.faults = []
        try:
            self.settings = load_settings(config_path, os.environ)
        except ConfigurationError as error:
            self.faults = error.faults
            self.settings = error.settings
        self.wrong = set(fault.key for fault in self.faults)
        self._host = None
        self._members = None

    # ------------------------------------------------------------ the host

    def import_host(self):
        """Import OpenERP into this process. Raises HostMismatch."""
        from oe_cluster_launch.seams.openerp7.host import Host
        self._host = Host()
        return self._host

    @property
    def host(self):
        """OpenERP with this node's options read. Raises ConfigurationError for a wrong option."""
        host = self._host or self.import_host()
        host.read_options(self.arguments)
        return host

    @property
    def node_name(self):
        """As boot.py names the node."""
        return self.settings.node_name or '%s-%d' % (socket.gethostname(), self.host.address[1])

    # ------------------------------------------------------------ servers

    def store(self):
        """The cluster's Redis."""
        return Store(self.settings)

    def connect(self, database=None):
        """A PostgreSQL connection, to any database that can be reached when none is named.

        :raises PostgresUnavailable: the first refusal
        """
        from oe_cluster_launch.seams.openerp7 import postgres
        host = self.host
        refusal, began = None, monotonic()
        for name in [database] if database else host.databases() + ['postgres', 'template1']:
            try:
                return postgres.connect(host.config, name)
            except PostgresUnavailable as error:
                refusal = refusal or error
                if monotonic() - began > _SILENCE_SECONDS:
                    break  # it is the server that does not answer, not the database that is missing
        raise refusal

    def ask_postgres(self, statement, values=(), database=None):
        """All rows of one statement."""
        connection = self.connect(database)
        try:
            cursor = connection.cursor()
            cursor.execute(statement, values)
            return cursor.fetchall()
        finally:
            connection.close()

    # ------------------------------------------------------------ nodes

    def members(self, again=False):
        """The records of all nodes, as `membership.members` reads them."""
        if self._members is None or again:
            store = self.store()
            try:
                self._members = members(store)
            finally:
                store.close()
        return self._members

    def others(self, again=False):
        """The records of the other nodes that are alive."""
        name = self.node_name
        return [member for member in self.members(again)
                if member['node'] != name and member['state'] != 'lost']

    def running_here(self):
        """The record of this node, when it is running on this machine; else, or if Redis is away, None."""
        name = self.node_name
        try:
            found = self.members()
        except RedisUnavailable:
            return None
        for member in found:
            if (member['node'] == name and member.get('machine') == socket.gethostname()
                    and os.path.exists('/proc/%d' % member.get('pid', 0))):
                return member
        return None
