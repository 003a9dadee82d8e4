# -*- coding: utf-8 -*-
"""How OpenERP 7.0 is started, step by step, in the master before any fork.

`boot.py` calls these methods in its order. Nothing here replaces anything in
the host: that is the seam table's work. One object per process.
"""
import logging
import os
import threading

from oe_cluster_launch.errors import ConfigurationError, HostFailure, PermissionRefused
from oe_cluster_launch.metrics import table
from oe_cluster_launch.seams.openerp7 import attachments, options, postgres, updates
from oe_cluster_launch.seams.openerp7.table import SEAMS

_logger = logging.getLogger(__name__)


class Host(object):
    """OpenERP 7.0 in this process."""

    seams = SEAMS

    def __init__(self):
        self._measured = None
        self.openerp = options.import_host()
        self.config = self.openerp.tools.config

    @property
    def version(self):
        return self.openerp.release.version

    # -- options ---------------------------------------------------------

    def read_options(self, arguments):
        """Parse OpenERP's command line and file, and refuse what OpenERP refuses.

        :raises ConfigurationError: with every fault of OpenERP's options
        """
        faults = options.faults(self.openerp, arguments)
        if faults:
            raise ConfigurationError(faults)
        # One process per worker would each rename the file at midnight and
        # lose the others' lines: with rotation off OpenERP takes a
        # WatchedFileHandler, and logrotate does the rest.
        self.config['logrotate'] = False

    def check(self, arguments):
        """Every fault of the options and of the databases, without starting anything."""
        faults = options.faults(self.openerp, arguments)
        return faults or postgres.faults(self.config, self.databases())

    def refuse_root(self):
        """OpenERP refuses root; so do we, before it prints and exits on its own."""
        if os.geteuid() == 0:
            raise PermissionRefused("OpenERP refuses to run as root: set `user` in [cluster].")

    def databases(self):
        """The databases named by `db_name`, as a list."""
        return [name.strip() for name in (self.config['db_name'] or '').split(',') if name.strip()]

    @property
    def address(self):
        """Where the node listens: (interface, port)."""
        return (self.config['xmlrpc_interface'] or '0.0.0.0', int(self.config['xmlrpc_port']))

    @property
    def workers(self):
        """How many HTTP workers; OpenERP's 0 (threads) makes no cluster, so 2 is the least."""
        return int(self.config['workers'] or 0) or 2

    # -- boot ------------------------------------------------------------

    def start_logging(self, use_format=lambda: None):
        """OpenERP's handlers, then our format; start_services sets up the handlers once more."""
        self.openerp.netsvc.init_logger()
        use_format()
        self.openerp.cli.server.report_configuration()

    def become_multi_process(self):
        """Turn on OpenERP's registry signaling. Before any addon: registries read it when made."""
        self.openerp.multi_process = True

    def start_services(self):
        """Import the server-wide addons and register the services (OpenERP's start_internal).

        :raises HostFailure: the web client did not load; OpenERP would only
            log that, and answer 404 to every page
        """
        self.openerp.service.start_internal()
        if 'web' in self.openerp.conf.server_wide_modules and self.root() is None:
            raise HostFailure("The addon `web` did not load, so every page would be 404: "
                              "see the log above; is it in addons_path?")

    def root(self):
        """The web client's WSGI application, or None."""
        for handler in self.openerp.service.wsgi_server.module_handlers:
            if type(handler).__name__ == 'Root':
                return handler
        return None

    def one_off_work(self, store):
        """Do what was asked for once: -i, -u, translations, a test file.

        Under the update lock of each database; signals the cluster.
        :param store: where nodes tell each other which updates are done
        :returns: True when the process should end now
        :raises HostFailure: an update or a test failed
        """
        return updates.one_off_work(self, store)

    def forget_updates(self):
        """Drop -i and -u from the options: they are done."""
        for kind in updates.ONCE:
            self.config[kind] = {}

    def check_attachments(self, settings):
        """Tell, or refuse, attachments that other nodes do not have; see attachments.py."""
        attachments.check(self, settings)

    def preload(self):
        """Load the registries of the configured databases, for workers to inherit."""
        for database in self.databases():
            self._load_registry(database)

    def _load_registry(self, database):
        try:
            self.openerp.modules.registry.RegistryManager.get(database)
        except Exception:
            _logger.exception("database %s did not load", database)
            raise HostFailure("The registry of database %s did not load; see the log above." % database)

    def close_connections(self):
        """Close every PostgreSQL connection in place: none may cross the fork."""
        pool = self.openerp.sql_db._Pool
        if pool is not None:
            for connection, _used in pool._connections:
                connection.close()
            del pool._connections[:]
        current = threading.current_thread()
        for name in ('dbname', 'uid'):
            current.__dict__.pop(name, None)

    # -- for the supervisor ------------------------------------------------

    def preloaded_sequences(self):
        """{database: registry signaling sequence} of the registries this process holds."""
        registries = self.openerp.modules.registry.RegistryManager.registries
        return dict((database, registry.base_registry_signaling_sequence)
                    for database, registry in registries.items())

    def registry_sequence(self, database):
        """The registry signaling sequence of a database, as PostgreSQL has it now.

        :raises PostgresUnavailable: it cannot be asked
        """
        return postgres.registry_sequence(self.config, database)

    def probe(self, seconds):
        """Ask the first configured database for a sign of life; in any thread.

        :raises PostgresUnavailable: it did not give one in time
        """
        postgres.probe(self.config, (self.databases() or ['template1'])[0], seconds)

    def measure_connections(self):
        """Say in the metrics how many PostgreSQL connections this process has."""
        pool = self.openerp.sql_db._Pool
        connections = list(pool._connections) if pool else []
        used = sum(1 for _connection, is_used in connections if is_used)
        measured = os.getpid(), used, len(connections) - used
        if measured != self._measured:  # nearly always the same
            self._measured = measured
            table.POSTGRES_CONNECTIONS.set(measured[1], 'used')
            table.POSTGRES_CONNECTIONS.set(measured[2], 'idle')

    @staticmethod
    def kind_of_request(method, path, content_type):
        """Which of the kinds in metrics/table.py a request is, by where OpenERP serves what."""
        if path.startswith(('/xmlrpc/', '/openerp/xmlrpc/')):
            return 'xmlrpc'
        if '/static/' in path:
            return 'static'
        if path.startswith('/webdav'):
            return 'webdav'
        if method == 'POST' and content_type.startswith('application/json'):
            return 'jsonrpc'
        return 'page'

    def cancel_queries(self):
        """Cancel what PostgreSQL is doing for this process. In any thread of a worker."""
        pool = self.openerp.sql_db._Pool
        for connection, used in list(pool._connections if pool else ()):
            if used and not connection.closed:
                connection.cancel()

    @property
    def application(self):
        """OpenERP's WSGI application."""
        return self.openerp.service.wsgi_server.application
