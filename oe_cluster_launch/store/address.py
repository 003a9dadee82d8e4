# -*- coding: utf-8 -*-
"""From the redis_* settings to the arguments of a redis-py connection.

We read the URL ourselves because redis-py lets query parameters of the URL
override time-outs and certificates, and its rules differ between the versions
that run on Python 2.7 and on 3. Nothing here opens a socket.
"""
import select

from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection

from oe_cluster_launch.compat import parse_qsl, unquote, urlsplit

try:
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError:  # redis-py 3 never retries by itself
    Retry = None

DEFAULT_PORT = 6379


class QuickLook(object):
    """Of a connection: the kernel says whether something unexpected has come, or the server has closed it.

    redis-py finds out before each command, by a read that must not wait: three system calls, and two
    more to go back. Not with TLS, where what has come may have been read already.
    """

    def can_read(self, timeout=0):
        if timeout == 0 and self._sock is not None:
            poll = select.poll()
            poll.register(self._sock, select.POLLIN)
            if not poll.poll(0):
                return False
        return super(QuickLook, self).can_read(timeout)


class TcpConnection(QuickLook, Connection):
    """To a host and port."""


class UnixConnection(QuickLook, UnixDomainSocketConnection):
    """To a socket of this machine."""


class Address(object):
    """What a redis_* configuration means.

    :ivar connection_class: plain, TLS or unix socket
    :ivar target: host and port, or path
    :ivar options: everything else a connection needs, shared by Sentinel's connections
    """

    def __init__(self, connection_class, target, options):
        self.connection_class = connection_class
        self.target = target
        self.options = options

    @property
    def uses_tls(self):
        return self.connection_class is SSLConnection


def read_address(settings, timeout_seconds):
    """The :class:`Address` that the settings describe."""
    url = urlsplit(settings.redis_url)
    query = dict(parse_qsl(url.query))
    options = _common_options(timeout_seconds)
    options.update(db=_database_number(url, query),
                   username=_decoded(url.username) or settings.redis_username,
                   password=_decoded(url.password) or settings.redis_password)
    if url.scheme == 'unix':
        return Address(UnixConnection, {'path': unquote(url.path)}, options)
    target = {'host': url.hostname, 'port': url.port or DEFAULT_PORT}
    options['socket_keepalive'] = True
    if url.scheme == 'rediss':
        options.update(_tls_options(settings))
        return Address(SSLConnection, target, options)
    return Address(TcpConnection, target, options)


def sentinel_options(settings, timeout_seconds):
    """Arguments of the connections to the Sentinels themselves."""
    options = _common_options(timeout_seconds)
    if settings.redis_sentinel_password:
        options['password'] = settings.redis_sentinel_password
    return options


def _common_options(timeout_seconds):
    options = {'socket_timeout': timeout_seconds}
    if Retry is None:
        return options
    # redis-py 6 and later retry with back-off by default, which would make one
    # call last many times the time-out; and we parse the replies of protocol 2.
    return dict(options, socket_connect_timeout=timeout_seconds,
                retry=Retry(NoBackoff(), 0), protocol=2)


def _database_number(url, query):
    text = query.get('db') or ('' if url.scheme == 'unix' else url.path.strip('/'))
    return int(text or 0)


def _tls_options(settings):
    options = {'ssl_cert_reqs': 'required', 'ssl_check_hostname': True}
    if settings.redis_tls_ca_file:
        options['ssl_ca_certs'] = settings.redis_tls_ca_file
    if settings.redis_tls_cert_file:
        options['ssl_certfile'] = settings.redis_tls_cert_file
        options['ssl_keyfile'] = settings.redis_tls_key_file or settings.redis_tls_cert_file
    return options


def _decoded(text):
    return unquote(text) if text else None
