# -*- coding: utf-8 -*-
"""`Store`: the one way to talk to Redis, safe to create before a fork.

Connections are made at first use and belong to one process: a child that
inherits a Store makes its own, so two processes never share a socket. Every
fault of the server or the network is one exception, `RedisUnavailable`, whose
text names the server (password masked) and what to do. No call is repeated
here: only the caller knows whether doing a thing twice is harmless.
"""
import contextlib
import os
import ssl

import redis
from redis import exceptions
from redis.client import Pipeline
from redis.sentinel import Sentinel, SentinelManagedConnection

from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.settings.kinds import RedisUrl
from oe_cluster_launch.store import measured
from oe_cluster_launch.store.address import QuickLook, SSLConnection, read_address, sentinel_options
from oe_cluster_launch.store.keys import Keys
from oe_cluster_launch.store.scripts import run_script

#: faults of the caller, not of the server: they pass through untranslated
_PROGRAMMING_ERRORS = (exceptions.DataError, exceptions.NoScriptError, exceptions.WatchError)

_ACL_REMEDY = ("Give the ACL user its keys, channels and commands: ~PREFIX:* &PREFIX:* and the commands that "
               "conf/redis.conf lists")
_REMEDIES = (
    # (part of Redis' or OpenSSL's own message, what an operator can do)
    ('WRONGPASS', "Check redis_username and redis_password"),
    ('invalid username-password', "Check redis_username and redis_password"),
    ('invalid password', "Check redis_password"),
    ('NOAUTH', "Set redis_password (and redis_username for an ACL user)"),
    ('Authentication required', "Set redis_password (and redis_username for an ACL user)"),
    ('without any password configured', "The server wants no password: remove redis_password"),
    ('no password is set', "The server wants no password: remove redis_password"),
    ('NOPERM', _ACL_REMEDY),
    ('no permissions', _ACL_REMEDY),
    ('index is out of range', "Use a database number below the server's `databases`"),
    ('invalid DB index', "Use a database number below the server's `databases`"),
    ('OOM', "Raise the server's maxmemory"),
    ('maxmemory', "Raise the server's maxmemory"),
    ('MISCONF', "The server cannot write to its disk: see its log"),
    ('read only replica', "This server is a replica: name the master, or set redis_sentinels"),
    ('LOADING', "The server is loading its data: wait"),
    ('No master found', "Check redis_sentinels and redis_sentinel_master"),
    ('CERTIFICATE', "Check redis_tls_ca_file and the name in the server's certificate"),
    ("doesn't match", "Use the name in the server's certificate in redis_url (Python 2.7 knows names only, "
                      "no IP addresses)"),
)
_DEFAULT_REMEDY = "Check that the server runs and that redis_url is right"


class Store(object):
    """One Redis server as the settings name it.

    :ivar keys: the :class:`Keys` of this cluster
    :ivar url: where it is, password masked, for messages
    :ivar purpose: what its calls count as in the metrics, unless a script's name says more
    """

    def __init__(self, settings, timeout_seconds=None, purpose='other'):
        """Opens nothing yet. `timeout_seconds` overrides `redis_timeout` for every call."""
        self._settings = settings
        self.purpose = purpose
        self.timeout_seconds = timeout_seconds or settings.redis_timeout
        self.keys = Keys(settings.redis_prefix)
        self.url = _shown_url(settings)
        self._of_this_process = (None, None)
        self._siblings = []

    def sibling(self, timeout_seconds, purpose='other'):
        """A Store of the same server with another time-out; closed together with this one.

        Before a fork one `close` then suffices, whoever made how many.
        """
        self._siblings.append(Store(self._settings, timeout_seconds, purpose))
        return self._siblings[-1]

    def client(self):
        """The redis-py client of this process; its calls raise RedisUnavailable.

        Process context: any; a forked child gets its own at its first call.
        """
        pid, client = self._of_this_process
        if pid != os.getpid():
            client = connect(self._settings, self.timeout_seconds)
            client.purpose = self.purpose
            self._of_this_process = (os.getpid(), client)
        return client

    def run(self, script_name, keys=(), arguments=()):
        """Run `lua/<script_name>.lua`: atomic, one round trip (two when the server is new)."""
        return run_script(self.client(), script_name, keys, arguments)

    def call(self, purpose, *command):
        """Send one command. `purpose` is what it counts as in the metrics."""
        return self.client().execute_command(*command, purpose=purpose)

    def close(self):
        """Close the connections of this process and of all siblings. The next call opens new ones."""
        for sibling in self._siblings:
            sibling.close()
        pid, client = self._of_this_process
        self._of_this_process = (None, None)
        if pid == os.getpid():
            client.connection_pool.disconnect()


def connect(settings, timeout_seconds=None):
    """A new client of the current master, for a caller that manages its own process.

    :param timeout_seconds: longest wait for a connection and for an answer
    """
    timeout_seconds = timeout_seconds or settings.redis_timeout
    address = read_address(settings, timeout_seconds)
    url = _shown_url(settings)
    if not settings.redis_sentinels:
        options = dict(address.options, **address.target)
        pool = redis.ConnectionPool(connection_class=address.connection_class, **options)
        return _Client(url, connection_pool=pool)
    sentinel = Sentinel(list(settings.redis_sentinels),
                        sentinel_kwargs=sentinel_options(settings, timeout_seconds))
    return _Client(url, connection_pool=_master_pool(sentinel, settings, address))


def _master_pool(sentinel, settings, address):
    """Connections that ask the Sentinels for the master each time one is opened."""
    kind = _TlsToMaster if address.uses_tls else _ToMaster
    client = sentinel.master_for(settings.redis_sentinel_master, connection_class=kind,
                                 **address.options)
    # the client owns the Sentinels only as long as it lives: keep them with the pool
    client.connection_pool.sentinel_manager = sentinel
    return client.connection_pool


class _ToMaster(QuickLook, SentinelManagedConnection):
    """Asks the Sentinels where the master is when it is opened."""


class _TlsToMaster(SentinelManagedConnection, SSLConnection):
    """redis-py 3 has no TLS connection managed by Sentinel; later ones have the same."""


class _Pipeline(Pipeline):
    """A pipeline whose faults are RedisUnavailable."""

    url = None
    purpose = 'other'

    def execute(self, raise_on_error=True):
        with redis_errors_translated(self.url), measured.RoundTrip(self.purpose):
            return super(_Pipeline, self).execute(raise_on_error)

    def immediate_execute_command(self, *args, **options):
        with redis_errors_translated(self.url):
            return super(_Pipeline, self).immediate_execute_command(*args, **options)


class _Client(redis.Redis):
    """A redis-py client whose faults are RedisUnavailable."""

    purpose = 'other'

    def __init__(self, url, **options):
        super(_Client, self).__init__(**options)
        self.url = url

    def execute_command(self, *args, **options):
        purpose = options.pop('purpose', self.purpose)
        with redis_errors_translated(self.url), measured.RoundTrip(purpose, args):
            return super(_Client, self).execute_command(*args, **options)

    def pipeline(self, transaction=True, shard_hint=None):
        pipeline = _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.url = self.url
        pipeline.purpose = self.purpose
        return pipeline


@contextlib.contextmanager
def redis_errors_translated(url):
    """Turn redis-py's exceptions into RedisUnavailable; for pub/sub, which has its own connection."""
    try:
        yield
    except _PROGRAMMING_ERRORS:
        raise
    except (exceptions.RedisError, ssl.SSLError, ssl.CertificateError) as error:
        measured.failed(error)
        raise RedisUnavailable("Redis at %s: %s. %s" % (url, _first_line(error), _remedy(error)))


def _first_line(error):
    # redis-py wraps one exception in another; its text may name no reason at all
    text = (str(error) or type(error).__name__).split('\n')[0]
    return text.rstrip('. ')


def _remedy(error):
    text = str(error)
    for start, remedy in _REMEDIES:
        if start in text:
            return remedy
    if isinstance(error, exceptions.TimeoutError):
        return "It did not answer within redis_timeout (for cached answers: ormcache_timeout)"
    return _DEFAULT_REMEDY


def _shown_url(settings):
    if settings.redis_sentinels:
        return "master %s of Sentinels %s" % (
            settings.redis_sentinel_master,
            ', '.join('%s:%d' % pair for pair in settings.redis_sentinels))
    return RedisUrl().show(settings.redis_url)
