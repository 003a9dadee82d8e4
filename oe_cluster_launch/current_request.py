# -*- coding: utf-8 -*-
"""The request that a thread is serving: what it is called in logs, limits and errors.

The supervisor opens it, the host's seams add what only they can know
(database, user, model, method), the log's formatters read it. One per
thread, kept on the thread object as OpenERP keeps its uid and dbname there;
a thread that a request starts has none.
"""
import binascii
import itertools
import json
import os
import re
import threading

from oe_cluster_launch.compat import quote, to_bytes

#: what a path may hold besides letters and digits (RFC 3986)
_PATH_SAFE = "/-._~!$&'()*+,;=:@"
_CONTROL = re.compile(u'[\x00-\x1f\x7f]')
REQUEST_ID = re.compile(r'^[A-Za-z0-9._:=@+/-]{1,128}$')
#: quick for text, unlike json.dumps
_encode = json.JSONEncoder().encode
#: process id to the half of its request ids that is its own, and their numbers
_numbers = {}


class OutOfMemory(BaseException):
    """A MemoryError inside the host. Not an Exception: the host would go on without memory."""


class CurrentRequest(object):
    """One request. `name_call` is called by the host's seams when they know more.

    :ivar path: as in a URL: ASCII, so that no byte a client has chosen breaks a log line or JSON
    """

    def __init__(self, method='', path='', request_id=None, on_named=None):
        self.http_method = method
        self.path = quote(to_bytes(path, 'latin-1'), _PATH_SAFE)
        self.id = request_id or new_request_id()
        self.database = self.uid = self.model = self.call = None
        self._on_named = on_named

    def name_call(self, database=None, uid=None, model=None, call=None):
        """What this request does inside the host, as soon as that is known."""
        self.database, self.uid, self.model, self.call = database, uid, model, call
        if self._on_named:
            self._on_named(self)

    def fields(self):
        """What is known, for a log in JSON or the board."""
        pairs = (('path', self.path), ('http_method', self.http_method), ('request_id', self.id),
                 ('db', self.database), ('uid', self.uid), ('model', self.model),
                 ('method', self.call))
        return dict((name, value) for name, value in pairs if value is not None)

    def as_json(self):
        """The same as JSON in ASCII, quickly: it is written down at each request's start.

        What a client has chosen is escaped already (path), or tested (method, id), or unknown yet.
        """
        begun = '{"path": "%s", "http_method": "%s", "request_id": "%s"' % (
            self.path, self.http_method, self.id)
        if self.call is None and self.database is None:
            return begun + '}'
        return '%s, "db": %s, "uid": %s, "model": %s, "method": %s}' % (
            begun, _as_json(self.database), _as_json(self.uid), _as_json(self.model), _as_json(self.call))

    def __str__(self):
        return sentence(self.fields())


def _as_json(value):
    """A single value; those that come up each time are quick."""
    if value is None:
        return 'null'
    return '%d' % value if type(value) is int else _encode(value)


def sentence(fields):
    """`POST /xmlrpc/object (database d, user 1, res.partner.read, request 5f3c)`."""
    details = []
    if fields.get('db'):
        details.append('database %s' % fields['db'])
    if fields.get('uid'):
        details.append('user %s' % fields['uid'])
    call = '.'.join(fields[name] for name in ('model', 'method') if fields.get(name))
    if call:
        details.append(call)
    if fields.get('request_id'):
        details.append('request %s' % fields['request_id'])
    return _CONTROL.sub('?', '%s %s (%s)' % (fields.get('http_method', '?'), fields.get('path', '?'),
                                             ', '.join(details)))


def new_request_id():
    """32 hexadecimal digits that no other process makes: its own random half, and a count. No secret."""
    pid = os.getpid()
    if pid not in _numbers:
        _numbers.clear()  # of the process that this one was forked from
        _numbers[pid] = binascii.hexlify(os.urandom(8)).decode('ascii'), itertools.count()
    half, numbers = _numbers[pid]
    return '%s%016x' % (half, next(numbers))


def accepted_request_id(text):
    """The id a proxy has given, or a new one when it is none we would write into a log."""
    return text if text and REQUEST_ID.match(text) else new_request_id()


def begin(request):
    """This thread now serves `request`."""
    threading.current_thread().oe_request = request


def end():
    """This thread serves none any more."""
    threading.current_thread().__dict__.pop('oe_request', None)


def current():
    """The request this thread serves, or None."""
    return getattr(threading.current_thread(), 'oe_request', None)
