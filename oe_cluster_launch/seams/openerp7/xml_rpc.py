# -*- coding: utf-8 -*-
"""XML-RPC read and written as by xmlrpclib, in a fraction of the time.

xmlrpclib calls two Python functions per tag, which takes longer than anything
else in a short call. Here the standard library's C parser makes a tree that is
walked once, and an answer is put together from pieces. Only what is usual is
done here; whatever is odd, large, wrong or deep is left to xmlrpclib itself,
whose results, errors included, are the only ones there are.
"""
from xml.etree import cElementTree

import xmlrpclib

from oe_cluster_launch.compat import text_type
from oe_cluster_launch.seams.seam import BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Instance

#: larger requests, and such with more tags, are xmlrpclib's. A tree is freed by as many nested
#: calls in C as it is deep: the stack must be enough for one in which each tag is within the last
MOST_BYTES = 1 << 20
MOST_TAGS = 4000
_HEAD = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n"
_TAIL = "</param>\n</params>\n</methodResponse>\n"


class Odd(Exception):
    """Something that is left to xmlrpclib."""


class QuickXmlRpc(object):
    """Stands where OpenERP has the module xmlrpclib; all but two functions are the module's."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        return getattr(self._module, name)

    def loads(self, data, *more):
        """(parameters, method) of a call."""
        if not more:
            try:
                return read_call(data)
            except Exception:  # whatever is wrong with it, xmlrpclib shall say
                pass
        return self._module.loads(data, *more)

    def dumps(self, params, *more, **options):
        """An answer as XML."""
        if not more and options == _PLAIN_ANSWER and type(params) is tuple:
            try:
                return write_answer(params)
            except Exception:  # as above
                pass
        return self._module.dumps(params, *more, **options)


#: how OpenERP asks for an answer that is no fault
_PLAIN_ANSWER = {'methodresponse': 1, 'allow_none': False, 'encoding': None}


# -- reading


def read_call(data):
    """(parameters, method) of a call, both as xmlrpclib has them.

    :raises Exception: of any kind, when it is not quite ordinary
    """
    if len(data) > MOST_BYTES or data.count('<') > MOST_TAGS or '<!' in data:
        raise Odd("large, deep, or with declarations, comments or CDATA")
    root = cElementTree.XML(data)
    name, params = root
    tags = root.tag, name.tag, params.tag
    if tags != ('methodCall', 'methodName', 'params') or len(name) or not name.text:
        raise Odd("no ordinary call")
    found = []
    for param in params:
        value, = param
        if param.tag != 'param' or value.tag != 'value':
            raise Odd("no ordinary parameter")
        found.append(_value(value))
    return tuple(found), text_type(name.text)


def _value(element):
    if not len(element):
        return element.text or ''
    inner, = element
    return _READERS[inner.tag](inner)


def _text(element):
    if len(element):
        raise Odd("tags within text")
    return element.text or ''


def _boolean(element):
    return {'0': False, '1': True}[_text(element)]


def _nil(element):
    if len(element):
        raise Odd("tags within nothing")


def _array(element):
    data, = element
    if data.tag != 'data':
        raise Odd("an array of something else")
    found = []
    for value in data:
        if value.tag != 'value':
            raise Odd("something between the values")
        found.append(_value(value))
    return found


def _struct(element):
    found = {}
    for member in element:
        name, value = member
        if (member.tag, name.tag, value.tag) != ('member', 'name', 'value'):
            raise Odd("no ordinary member")
        found[_text(name)] = _value(value)
    return found


_READERS = {
    'string': _text,
    'int': lambda element: int(_text(element)),
    'i4': lambda element: int(_text(element)),
    'boolean': _boolean,
    'double': lambda element: float(_text(element)),
    'nil': _nil,
    'array': _array,
    'struct': _struct,
}


# -- writing


def write_answer(params):
    """The XML of an answer, byte for byte as xmlrpclib writes it.

    :raises Exception: of any kind, when something in it is not quite ordinary
    """
    pieces = []
    value, = params
    _write(value, pieces.append)
    return _HEAD + ''.join(pieces) + _TAIL


def _write(value, put):
    kind = type(value)
    if kind in _LEAVES:
        put(_LEAVES[kind](value))
    elif kind is list or kind is tuple:
        put('<value><array><data>\n')
        for each in value:
            _write(each, put)
        put('</data></array></value>\n')
    elif kind is dict:
        put('<value><struct>\n')
        for name, each in value.items():
            if type(name) is not str:
                raise Odd("a name that is no plain one")
            put('<member>\n<name>%s</name>\n' % _escaped(name))
            _write(each, put)
            put('</member>\n')
        put('</struct></value>\n')
    else:
        raise Odd("no plain value")


def _unicode(value):
    return '<value><string>%s</string></value>\n' % _escaped(value.encode('utf-8', 'xmlcharrefreplace'))


def _str(value):
    return '<value><string>%s</string></value>\n' % _escaped(value)


def _int(value):
    if not xmlrpclib.MININT <= value <= xmlrpclib.MAXINT:
        raise Odd("a large number")
    return '<value><int>%d</int></value>\n' % value


def _escaped(text):
    return text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')


_BOOLEANS = {False: '<value><boolean>0</boolean></value>\n', True: '<value><boolean>1</boolean></value>\n'}
_LEAVES = {
    text_type: _unicode,
    str: _str,
    bool: _BOOLEANS.__getitem__,
    int: _int,
    float: lambda value: '<value><double>%r</double></value>\n' % value,
}


def quick_xml_rpc(original, context):
    return QuickXmlRpc(original)


SEAMS = [
    Seam('XML-RPC', 'openerp.service.wsgi_server', 'xmlrpclib', Instance('module', 'loads', 'dumps', 'Fault'),
         quick_xml_rpc, "reading a short call's XML would take longer than finding its answer",
         phase=BEFORE_ADDONS),
]
