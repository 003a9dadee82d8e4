# -*- coding: utf-8 -*-
"""A private PostgreSQL: own data folder, own Unix socket, own loopback port, no durability."""
import glob
import os
import re
import shutil
import signal
import subprocess

from . import account
from .ports import free_port
from .problem import Problem
from .service import Service

ROLE = 'openerp'            # may create databases, is not a superuser: OpenERP asks for both
SUPERUSER = 'postgres'

CONFIGURATION = """
listen_addresses = '%(listen)s'
port = %(port)d
unix_socket_directories = '%(folder)s'
max_connections = 200
shared_buffers = 128MB
fsync = off                  # test data: speed is worth more than surviving a power cut
synchronous_commit = off
full_page_writes = off
min_wal_size = 32MB
log_line_prefix = '%%m [%%p] %%d '
"""


def binary(name):
    """The path of a PostgreSQL program, of the newest version that is installed."""
    found = glob.glob('/usr/lib/postgresql/*/bin/' + name)
    if not found:
        raise Problem("PostgreSQL's %s is not installed: run `make install`." % name)
    return max(found, key=lambda path: float(path.split('/')[4]))


def version():
    """The major version that binary() finds, such as '15'."""
    return binary('postgres').split('/')[4]


class Postgres(Service):
    """One server. `golden` names a data folder to copy; without it the server starts empty."""

    stop_signal = signal.SIGINT      # fast shutdown: does not wait for clients
    orphan_signal = signal.SIGQUIT   # immediate: children go at once

    def __init__(self, folder, golden=None, tcp=True, name='postgres', owner=None):
        super(Postgres, self).__init__(name, folder, owner=owner)
        self.data = os.path.join(self.folder, 'data')
        self.port = free_port() if tcp else 5432  # without TCP a port only names the socket
        self.listen = '127.0.0.1' if tcp else ''
        self.golden = golden
        self.role = ROLE

    @property
    def host(self):
        """What libpq takes as host: the folder of the Unix socket."""
        return self.folder

    def dsn(self, database, role=ROLE):
        """A connection string for `database`."""
        return "host=%s port=%d user=%s dbname=%s" % (self.host, self.port, role, database)

    def configure(self):
        if not os.path.exists(self.data):
            self._fill_data_folder()
        with open(os.path.join(self.data, 'postgresql.auto.conf'), 'w') as stream:
            stream.write(CONFIGURATION % vars(self))

    def _fill_data_folder(self):
        if self.golden:
            command = ['cp', '--archive', '--reflink=auto', self.golden, self.data]
        else:
            command = [binary('initdb'), '--username=' + SUPERUSER, '--auth=trust', '--no-sync',
                       '--encoding=UTF8', '--locale=C.UTF-8', '--pgdata=' + self.data]
        code, printed = account.run(command, self.folder)
        if code:
            raise Problem("PostgreSQL's data folder could not be made: %s" % printed.strip())

    def listen_also(self, address, clients):
        """Restart so that it is reached at that address too, by anybody of the network `clients`."""
        rule = "host all all %s trust\n" % clients
        with open(os.path.join(self.data, 'pg_hba.conf'), 'r+') as stream:
            if rule not in stream.read():
                stream.write(rule)
        self.listen = ','.join([self.listen, address] if self.listen else [address])
        return self.restart()

    def command(self):
        return [binary('postgres'), '-D', self.data]

    def is_ready(self):
        return subprocess.call(
            [binary('pg_isready'), '--quiet', '-h', self.host, '-p', str(self.port),
             '-U', SUPERUSER, '-d', 'postgres']) == 0

    # databases

    def query(self, sql, database='postgres', role=SUPERUSER):
        """The rows that `sql` answers, as lists of text. Each call is one connection."""
        process = subprocess.Popen(
            [binary('psql'), '-h', self.host, '-p', str(self.port), '-U', role, '-d', database,
             '--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--field-separator=\x1f',
             '--set=ON_ERROR_STOP=1', '-c', sql],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        answer, complaint = process.communicate()
        if process.returncode:
            raise Problem("PostgreSQL refused %r: %s"
                          % (sql, complaint.decode('utf-8', 'replace').strip()))
        return [line.split('\x1f') for line in answer.decode('utf-8').splitlines()]

    def create_role(self):
        """Create the role that OpenERP connects as."""
        self.query("CREATE ROLE %s LOGIN CREATEDB" % ROLE)

    def create_database(self, name, template='template0'):
        """Create the database `name`, owned by OpenERP's role, as a copy of `template`."""
        self.query('CREATE DATABASE "%s" TEMPLATE "%s" OWNER %s' % (name, template, ROLE))
        return name

    def drop_database(self, name):
        """Drop the database `name`, whoever is connected to it."""
        self.query('DROP DATABASE IF EXISTS "%s" WITH (FORCE)' % name)

    def databases(self):
        """The names of all databases."""
        return [name for name, in self.query("SELECT datname FROM pg_database")]

    def has_database(self, name):
        """Whether there is a database `name`."""
        return bool(self.query("SELECT 1 FROM pg_database WHERE datname = '%s'" % name))

    def discard(self):
        """Kill the server and delete its data."""
        self.kill_all()
        shutil.rmtree(self.data, ignore_errors=True)


def database_name(text):
    """`text` (a test's name, say) as the name of a database."""
    return re.sub(r'[^a-z0-9]+', '_', text.lower()).strip('_')[:50]
