# -*- coding: utf-8 -*-
"""The kinds of value a setting can have: how each is read, checked and shown.

A kind turns the text of a file or an environment variable into a value, or
raises ValueError. `accepts` is the half sentence that an operator reads when
it does. Kinds know nothing of names, files or defaults.
"""
import binascii
import re
import socket

from oe_cluster_launch.compat import urlsplit

_UNIT_SECONDS = {'ms': 0.001, 's': 1, 'm': 60, 'h': 3600, 'd': 86400, 'w': 604800}
_UNIT_BYTES = {'': 1, 'k': 1 << 10, 'm': 1 << 20, 'g': 1 << 30}


class Kind(object):
    """Base of all kinds; also the kind of plain text."""

    accepts = "any text"
    unit = ''

    def parse(self, text):
        """The value of `text`; ValueError when it is not accepted."""
        return text

    def show(self, value):
        """The value as an operator would write it."""
        return '' if value is None else str(value)


class Text(Kind):
    """Text that must match a pattern, when one is given."""

    def __init__(self, pattern=None, accepts="any text"):
        self.pattern = re.compile(pattern) if pattern else None
        self.accepts = accepts

    def parse(self, text):
        if self.pattern and not self.pattern.match(text):
            raise ValueError(text)
        return text


class Boolean(Kind):
    accepts = "accepted are on and off"
    words = {'on': True, 'true': True, 'yes': True, '1': True,
             'off': False, 'false': False, 'no': False, '0': False}

    def parse(self, text):
        try:
            return self.words[text.strip().lower()]
        except KeyError:
            raise ValueError(text)

    def show(self, value):
        return 'on' if value else 'off'


class Integer(Kind):
    """A whole number within bounds, both included."""

    def __init__(self, low=0, high=None):
        self.low, self.high = low, high
        self.accepts = ("accepted is a whole number from %d up" % low if high is None else
                        "accepted is a whole number from %d to %d" % (low, high))

    def parse(self, text):
        value = int(text)
        if value < self.low or (self.high is not None and value > self.high):
            raise ValueError(text)
        return value


class Duration(Kind):
    """A span of time, kept in seconds: `90`, `500ms`, `10s`, `15m`, `2h`, `7d`, `1w`."""

    unit = 'seconds'

    def __init__(self, low=0.0, high=None):
        self.low, self.high = low, high
        self.accepts = ("accepted is a duration such as 90, 500ms, 10s, 15m, 2h or 7d, at least %gs"
                        % low + ("" if high is None else " and at most %gs" % high))

    def parse(self, text):
        match = re.match(r'^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?\s*$', text.lower())
        if not match:
            raise ValueError(text)
        value = float(match.group(1)) * _UNIT_SECONDS[match.group(2) or 's']
        if value < self.low or (self.high is not None and value > self.high):
            raise ValueError(text)
        return value

    def show(self, value):
        return '%g' % value


class Size(Kind):
    """A number of bytes: `1048576`, `512K`, `64M`, `2G`."""

    unit = 'bytes'
    accepts = "accepted is a size in bytes such as 1048576, 512K, 64M or 2G"

    def parse(self, text):
        match = re.match(r'^\s*(\d+)\s*([kmg]?)b?\s*$', text.lower())
        if not match:
            raise ValueError(text)
        return int(match.group(1)) * _UNIT_BYTES[match.group(2)]


class Choice(Kind):
    """One word of a few."""

    def __init__(self, *words):
        self.words = words
        self.accepts = "accepted are %s" % ' and '.join(
            [', '.join(words[:-1]), words[-1]] if len(words) > 1 else words)

    def parse(self, text):
        if text.strip().lower() not in self.words:
            raise ValueError(text)
        return text.strip().lower()


class Words(Kind):
    """A list separated by commas or white space; kept as a tuple, may be empty."""

    def __init__(self, item=None, accepts="accepted is a list separated by commas"):
        self.item = item or Kind()
        self.accepts = accepts

    def parse(self, text):
        return tuple(self.item.parse(word) for word in re.split(r'[,\s]+', text.strip()) if word)

    def show(self, value):
        return ', '.join(self.item.show(word) for word in value)


class Path(Kind):
    """An absolute path. Whether it can be read is checked where it is used, as the right user."""

    accepts = "accepted is an absolute path"

    def parse(self, text):
        if not text.startswith('/'):
            raise ValueError(text)
        return text


class HostPort(Kind):
    """`host:port`, kept as a pair."""

    accepts = "accepted is host:port"

    def parse(self, text):
        host, colon, port = text.strip().rpartition(':')
        if not colon or not host or not 0 < int(port) < 65536:
            raise ValueError(text)
        return host.strip('[]'), int(port)

    def show(self, value):
        return '%s:%d' % value


class Network(Kind):
    """An address or a network: `10.0.0.5`, `10.1.0.0/16`, `fd00::/8`; kept as (family, bits, length)."""

    accepts = "accepted is an address or a network such as 10.0.0.5 or 10.1.0.0/16"

    def parse(self, text):
        address, slash, length = text.strip().partition('/')
        bits, total = address_bits(address)
        length = int(length) if slash else total
        if not 0 <= length <= total:
            raise ValueError(text)
        return total, bits >> (total - length), length

    def show(self, value):
        total, bits, length = value
        packed = binascii.unhexlify('%0*x' % (total // 4, bits << (total - length)))
        address = socket.inet_ntop(socket.AF_INET if total == 32 else socket.AF_INET6, packed)
        return address if length == total else '%s/%d' % (address, length)


def lies_in(address, networks):
    """Whether a numeric address lies in one of some networks (see :class:`Network`)."""
    try:
        bits, total = address_bits(address)
    except ValueError:
        return False
    return any(total == of and bits >> (of - length) == prefix for of, prefix, length in networks)


def address_bits(address):
    """(number, 32 or 128) of a numeric address; an IPv4 one inside IPv6 counts as IPv4.

    :raises ValueError: it is none
    """
    for family, total in ((socket.AF_INET, 32), (socket.AF_INET6, 128)):
        try:
            bits = int(binascii.hexlify(socket.inet_pton(family, address)), 16)
        except (socket.error, OSError):
            continue
        if total == 128 and bits >> 32 == 0xffff:
            return bits & 0xffffffff, 32
        return bits, total
    raise ValueError(address)


class RedisUrl(Kind):
    """Where Redis listens: `redis://`, `rediss://` (TLS) or `unix://`."""

    accepts = ("accepted is redis://[user:password@]host:port/number, rediss://HOST for TLS, "
               "or unix:///path/to.sock?db=number")

    def parse(self, text):
        parts = urlsplit(text.strip())
        if parts.scheme not in ('redis', 'rediss', 'unix'):
            raise ValueError(text)
        if parts.scheme == 'unix':
            if not parts.path.startswith('/'):
                raise ValueError(text)
            return text.strip()
        if not parts.hostname or (parts.path.strip('/') and not parts.path.strip('/').isdigit()):
            raise ValueError(text)
        parts.port  # noqa: B018 - raises ValueError when it is not a port
        return text.strip()

    def show(self, value):
        """Without the password, which must never reach a screen or a log."""
        parts = urlsplit(value)
        if parts.password is None:
            return value
        return value.replace(':%s@' % parts.password, ':***@', 1)
