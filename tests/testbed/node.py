# -*- coding: utf-8 -*-
"""The servers under test: a node of ours, and the stock OpenERP server to compare it with."""
import base64
import os
import signal
import socket

from . import account, paths, process_table
from .ports import free_port
from .service import Service
from .waiting import wait_until

try:
    from http.client import HTTPConnection, HTTPException
except ImportError:  # Python 2
    from httplib import HTTPConnection, HTTPException


class OpenErpServer(Service):
    """What both have in common: a configuration file, a port, and how to see that they serve.

    `options` are the host's, for the section [options]; they go over the defaults below.
    """

    ready_timeout_seconds = 60
    #: Another OpenERP 7.0 than the one from PyPI: the path of a checkout.
    openerp = None

    def __init__(self, name, folder, postgres, database=None, port=None, workers=2, options=None,
                 environment=None, owner=None, network=None):
        super(OpenErpServer, self).__init__(name, folder, environment, owner)
        self.network = network
        self.address = network.address if network else '127.0.0.1'
        self.port = port or free_port()
        self.configuration_path = os.path.join(self.folder, 'node.conf')
        self.options = {
            'db_host': postgres.host, 'db_port': postgres.port, 'db_user': postgres.role,
            'xmlrpc_interface': self.address, 'xmlrpc_port': self.port, 'netrpc': False,
            'workers': workers, 'max_cron_threads': 1, 'proxy_mode': True, 'log_level': 'info',
            'admin_passwd': 'admin',
        }
        if database:  # its crons, and no other database in the web client's list
            self.options.update(db_name=database, dbfilter='^%s$' % database)
        self.options.update(options or {})

    @property
    def url(self):
        """The server itself, past nginx."""
        return 'http://%s:%d' % (self.address, self.port)

    def sections(self):
        """{section: {key: value}} of the configuration file."""
        return {'options': self.options}

    def configure(self):
        if self.openerp:
            self.environment.update(checkout_environment(self.openerp, self.environment))
            self.options['addons_path'] = checkout_addons_path(self.openerp)
        with open(self.configuration_path, 'w') as stream:
            for section, values in sorted(self.sections().items(), reverse=True):
                stream.write('[%s]\n' % section)
                stream.writelines('%s = %s\n' % item for item in sorted(values.items()))
        account.give(self.configuration_path)

    def is_ready(self):
        """Whether it answers XML-RPC, which takes a worker, not only the listening socket."""
        return self.get('/xmlrpc/common', VERSION_CALL) == 200

    def get(self, path, body=None, timeout_seconds=5):
        """The HTTP status of `path`, asked from this server itself; 0 when it does not answer."""
        connection = HTTPConnection(self.address, self.port, timeout=timeout_seconds)
        try:
            connection.request('POST' if body else 'GET', path, body,
                               {'Content-Type': 'text/xml'} if body else {})
            return connection.getresponse().status
        except (socket.error, HTTPException):
            return 0
        finally:
            connection.close()

    def wait_until_serving(self, timeout_seconds=None):
        """Wait until it answers XML-RPC."""
        return self.wait_until_ready(timeout_seconds)

    def hang_up(self):
        """SIGHUP: our node reloads."""
        self.signal(signal.SIGHUP)

    def titles(self):
        """{pid: command line} of the master and all its children."""
        return dict((pid, process_table.title(pid)) for pid in process_table.family(self.pid))


class NodeProcess(OpenErpServer):
    """One node: `oe-cluster-launch -c node.conf`. `cluster` are settings of [cluster]."""

    def __init__(self, name, folder, postgres, redis_url, secret_key_file, cluster=None,
                 arguments=(), **more):
        super(NodeProcess, self).__init__(name, folder, postgres, **more)
        self.arguments = list(arguments)
        self.cluster = {'node_name': name, 'redis_url': redis_url,
                        'secret_key_file': secret_key_file, 'redis_prefix': 'oe'}
        self.cluster.update(cluster or {})
        if self.cluster.get('status_port') is None:
            self.cluster['status_port'] = free_port()
        self.status_port = int(self.cluster['status_port'])

    def sections(self):
        return {'options': self.options, 'cluster': self.cluster}

    def status(self, path, timeout_seconds=5, **headers):
        """(status, headers, body) of `path` at the status port; (0, {}, '') when it does not answer."""
        connection = HTTPConnection('127.0.0.1', self.status_port, timeout=timeout_seconds)
        try:
            connection.request('GET', path, headers=headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read().decode('utf-8')
        except (socket.error, HTTPException):
            return 0, {}, ''
        finally:
            connection.close()

    def wait_until_serving(self, timeout_seconds=None):
        """Wait until it answers XML-RPC, and its keeper knows that: a stop before breaks off a start."""
        super(NodeProcess, self).wait_until_serving(timeout_seconds)
        wait_until(lambda: not self.is_running() or self.is_known_as_ready(), 30,
                   "the keeper of %s knows that it serves" % self.name)
        return self

    def is_known_as_ready(self):
        """Whether the keeper has heard that it serves."""
        return any('keeper [ready' in title for title in self.titles().values())

    def command(self):
        return [paths.python27('oe-cluster-launch'), '-c', self.configuration_path
                ] + self.arguments


class StockServer(OpenErpServer):
    """The stock `openerp-server --workers=N`, for contrast."""

    def __init__(self, name, folder, postgres, arguments=(), **more):
        super(StockServer, self).__init__(name, folder, postgres, **more)
        self.arguments = list(arguments)

    def command(self):
        return server_command(self.openerp) + ['-c', self.configuration_path] + self.arguments


VERSION_CALL = ('<?xml version="1.0"?><methodCall><methodName>version</methodName>'
                '<params></params></methodCall>')


def server_command(openerp=None):
    """How to call the stock server, of PyPI or of a checkout."""
    if openerp:
        return [paths.python27('python'), os.path.join(openerp, 'openerp-server')]
    return [paths.python27('openerp-server')]


def checkout_environment(openerp, environment=None):
    """The environment in which `import openerp` finds the checkout `openerp`."""
    before = (environment or {}).get('PYTHONPATH') or os.environ.get('PYTHONPATH', '')
    folders = [folder for folder in before.split(':') if folder and folder != openerp]
    return {'PYTHONPATH': ':'.join([openerp] + folders)}


def checkout_addons_path(openerp):
    """The addons folders of a checkout, web's included where it lies beside."""
    folders = [os.path.join(openerp, *parts) for parts in
               (('openerp', 'addons'), ('addons',), ('web', 'addons'), ('addons', 'web', 'addons'))]
    return ','.join(folder for folder in folders if os.path.isdir(folder))


def write_secret_key(path):
    """Write a key of the kind that all nodes of a cluster share, where it is missing."""
    if os.path.exists(path):
        return path
    with open(path, 'wb') as stream:
        stream.write(base64.urlsafe_b64encode(os.urandom(32)) + b'\n')
    os.chmod(path, 0o600)
    return account.give(path)
