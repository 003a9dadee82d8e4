# -*- coding: utf-8 -*-
"""The only file that says "Python 2".

Everything else is written for Python 3.9+ and happens to run on 2.7, where
OpenERP 7.0 lives, because the few differences are named here.
"""
import inspect
import io
import sys
import time
import warnings

PY2 = sys.version_info[0] == 2

if PY2:  # pragma: no cover - each branch runs on its own interpreter
    import ConfigParser as configparser
    import cPickle as pickle
    import Queue as queue
    from httplib import HTTPConnection, HTTPException, HTTPSConnection
    from urllib import quote, unquote
    from urlparse import parse_qsl, urlsplit, urlunsplit

    from monotonic import monotonic

    # cryptography says at every import that this interpreter is old: OpenERP 7.0 has no other
    warnings.filterwarnings('ignore', 'Python 2 is no longer supported')

    text_type = unicode  # noqa: F821
    string_types = (str, unicode)  # noqa: F821
    integer_types = (int, long)  # noqa: F821
    IniParser = configparser.SafeConfigParser
    BUILTINS, COPYREG = '__builtin__', 'copy_reg'
    PICKLE_PROTOCOL = 2
else:
    import configparser
    import pickle
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    import queue
    from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

    monotonic = time.monotonic
    text_type = str
    string_types = (str,)
    integer_types = (int,)
    IniParser = configparser.ConfigParser
    BUILTINS, COPYREG = 'builtins', 'copyreg'
    PICKLE_PROTOCOL = 4

__all__ = ['BUILTINS', 'COPYREG', 'HTTPConnection', 'HTTPException', 'HTTPSConnection',
           'IniParser', 'PICKLE_PROTOCOL', 'PY2', 'argument_names', 'configparser',
           'integer_types', 'monotonic', 'native', 'parse_qsl', 'pickle', 'plain_pickle', 'queue', 'quote',
           'read_ini', 'restricted_unpickle', 'string_types', 'text_type', 'to_bytes', 'to_text',
           'unquote', 'urlsplit', 'urlunsplit']


def to_bytes(value, encoding='utf-8'):
    """`value` as bytes; bytes pass through."""
    return value if isinstance(value, bytes) else value.encode(encoding)


def to_text(value, encoding='utf-8'):
    """`value` as text; text passes through."""
    return value.decode(encoding) if isinstance(value, bytes) else value


def native(value):
    """`value` as this interpreter's `str`, as WSGI and os.environ want it."""
    return to_bytes(value) if PY2 else to_text(value)


def read_ini(path):
    """Parse an ini file with the rules of OpenERP's own parser (`%%` is a per cent sign).

    :raises IOError: the file cannot be opened
    :raises configparser.Error: it cannot be parsed
    """
    parser = IniParser()
    with open(path) as source:
        if PY2:
            parser.readfp(source, path)
        else:
            parser.read_file(source, path)
    return parser


def argument_names(function):
    """The names of a function's arguments, `*` and `**` included, or None if it has no signature."""
    inspector = inspect.getargspec if PY2 else inspect.getfullargspec
    try:
        spec = inspector(function)
    except TypeError:
        return None
    names = list(spec[0])
    names.extend('*%s' % name for name in (spec[1],) if name)
    names.extend('**%s' % name for name in (spec[2],) if name)
    return names


def restricted_unpickle(data, find_class):
    """Unpickle `data`; every class or function it names is asked of `find_class(module, name)`."""
    if PY2:
        unpickler = pickle.Unpickler(io.BytesIO(data))
        unpickler.find_global = find_class
        return unpickler.load()
    return _Unpickler(data, find_class).load()


def plain_pickle(value):
    """`value` as bytes to compare, not to keep: the same graph of objects always gives the same ones.

    An ordinary pickle also depends on how often each object is referred to. Cycles raise ValueError.
    """
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, PICKLE_PROTOCOL)
    pickler.fast = True
    pickler.dump(value)
    return buffer.getvalue()


if not PY2:
    class _Unpickler(pickle.Unpickler):
        def __init__(self, data, find_class):
            super(_Unpickler, self).__init__(io.BytesIO(data))
            self._find = find_class

        def find_class(self, module, name):
            return self._find(module, name)
