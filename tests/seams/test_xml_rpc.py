# -*- coding: utf-8 -*-
"""Our XML-RPC against xmlrpclib: the same values, types, bytes and errors, for whatever comes."""
import random
import re

import pytest
import xmlrpclib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from oe_cluster_launch.seams.openerp7 import xml_rpc
from oe_cluster_launch.seams.openerp7.xml_rpc import QuickXmlRpc, read_call, write_answer

quick = QuickXmlRpc(xmlrpclib)

LEAVES = (some.none() | some.booleans() | some.integers(-2 ** 33, 2 ** 33) | some.floats()
          | some.text(max_size=20) | some.text('<>&"\'ab', max_size=9) | some.binary(max_size=9))
NAMES = some.text(max_size=8) | some.text('<>&ab', max_size=5).map(str)
VALUES = some.recursive(LEAVES, lambda inner: (
    some.lists(inner, max_size=4) | some.lists(inner, max_size=3).map(tuple)
    | some.dictionaries(NAMES, inner, max_size=4)), max_leaves=20)
WORDS = ['<value>', '</value>', '<int>', '</int>', '<string>', '</string>', '<array>', '</array>', '<data>',
         '</data>', '<struct>', '</struct>', '<member>', '</member>', '<name>', '</name>', '<nil/>', '<i4>',
         '</i4>', '<i8>7</i8>', '<boolean>1</boolean>', '<double>1.5</double>', '<base64>YQ==</base64>',
         '<dateTime.iso8601>20130101T00:00:00</dateTime.iso8601>', '<unknown/>', '<value/>', '7', ' 8 ',
         'text', '&amp;', '&#233;', '\n', '<!-- -->', '<![CDATA[<x>]]>', '<?pi?>', u'\xe9'.encode('utf-8')]
#: in what xmlrpclib's own values for dates and files look like
ADDRESS = re.compile(' at (0x)?[0-9a-f]+')
CALL = '<?xml version="1.0"?><methodCall><methodName>m</methodName><params>%s</params></methodCall>'


def outcome(function, *arguments, **options):
    """What comes of a call: types, values, or the kind of the error and what it says."""
    try:
        return ADDRESS.sub('', repr(function(*arguments, **options)))
    except Exception as error:
        return type(error), str(error)


def both_read(data):
    expected = outcome(xmlrpclib.loads, data)
    assert outcome(quick.loads, data) == expected
    return expected


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(VALUES, max_size=3), some.text('ab_.', min_size=1, max_size=9))
def test_calls_are_read_as_by_xmlrpclib(params, method):
    try:
        data = xmlrpclib.dumps(tuple(params), str(method), allow_none=True)
    except (UnicodeDecodeError, TypeError, OverflowError):
        return
    both_read(data)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_answers_are_written_as_by_xmlrpclib(value):
    options = {'methodresponse': 1, 'allow_none': False, 'encoding': None}
    assert outcome(quick.dumps, (value,), **options) == outcome(xmlrpclib.dumps, (value,), **options)


def test_what_is_usual_is_done_here():
    """The fall-back would make every other test pass."""
    params = ('db', 1, 'admin', 'res.partner', 'write', [7], {'name': u'\xe9', 'x': [1.5, True, {}]}, u'a<b')
    data = xmlrpclib.dumps(params, 'execute')
    assert repr(read_call(data)) == repr(xmlrpclib.loads(data))
    answer = ([{'id': 7, 'name': u'\xe9 & <', 'parent': (1, 'x'), 'no': False, 'sum': 0.1}],)
    assert write_answer(answer) == xmlrpclib.dumps(answer, methodresponse=1)


@pytest.mark.parametrize('inside', [
    '', '<param></param>', '<param>x</param>', '<param><value>a</value><value>b</value></param>',
    '<param><value><int>1</int><int>2</int></value></param>', '<param><value>a<int>1</int>b</value></param>',
    '<param><value><boolean>yes</boolean></value></param>', '<param><value><int></int></value></param>',
    '<param><value><i8>5000000000</i8></value></param>',
    '<param><value><int>5000000000</int></value></param>',
    '<param><value><string>a<!-- b -->c</string></value></param>', '<other><value>a</value></other>',
    '<param><value><struct><member><value>a</value><name>b</name></member></struct></value></param>',
    '<param><value><struct><member><name>a</name></member></struct></value></param>',
    '<param><value><array><value>a</value></array></value></param>',
    '<param><value><array><data>x<value>a</value>y</data></array></value></param>',
    '<param><value><unknown>1</unknown></value></param>',
    '<param><value><string><b/></string></value></param>',
    '<param><value xmlns="urn:x">a</value></param>', '<param><value><ex:nil/></value></param>',
    '<param><value>&#0;</value></param>', '<param><value>&missing;</value></param>', '<param><value>',
    '<param><value><name>a</name></value></param>', '<param><value><nil>x</nil></value></param>',
    '<param><value><double>nan</double></value></param>', '<param><value>\r\n</value></param>'])
def test_what_is_odd_ends_as_by_xmlrpclib(inside):
    both_read(CALL % inside)


@pytest.mark.parametrize('data', [
    '', 'no XML', '<methodCall/>', '<methodCall><methodName>m</methodName></methodCall>',
    '<methodCall><methodName/><params/></methodCall>', '<methodResponse><params/></methodResponse>',
    '<methodCall><params/><methodName>m</methodName></methodCall>',
    u'<?xml version="1.0" encoding="iso-8859-1"?><methodCall><methodName>m</methodName><params><param><value>'
    u'\xe9</value></param></params></methodCall>'.encode('latin-1'),
    '<!DOCTYPE x [<!ENTITY a "b">]><methodCall><methodName>m</methodName><params><param><value>&a;</value>'
    '</param></params></methodCall>', '\xff\xfe<\x00', '\xef\xbb\xbf' + CALL % ''])
def test_other_documents_end_as_by_xmlrpclib(data):
    both_read(data)


def test_thousands_of_scrambled_calls_end_as_by_xmlrpclib():
    source = random.Random(7)
    understood = 0
    for _ in range(4000):
        inside = ''.join(source.choice(WORDS) for _ in range(source.randrange(8)))
        framed = source.choice(['<param><value>%s</value></param>', '<param>%s</param>', '%s'])
        understood += not isinstance(both_read(CALL % (framed % inside)), tuple)
    assert understood > 100


@pytest.mark.parametrize('nested', ['<value><array><data>%s</data></array></value>', '<a>%s</a>',
                                    '<value><struct><member><name>n</name>%s</member></struct></value>'])
@pytest.mark.parametrize('depth', [3, 150, 400, 800, 100000])
def test_depth_ends_no_process(nested, depth):
    opening, closing = nested.split('%s')
    data = CALL % ('<param>%s</param>' % (opening * depth + '<value>x</value>' + closing * depth))
    expected = xmlrpclib.loads(data)[0] if nested[1] == 'v' else None
    found = quick.loads(data)[0]
    for _ in range(depth if expected is not None else 0):
        assert type(found) is type(expected) and len(found) == len(expected) == 1
        found, expected = (each['n'] if isinstance(each, dict) else each[0] for each in (found, expected))


def test_recursion_is_refused_as_by_xmlrpclib():
    endless = []
    endless.append(endless)
    with pytest.raises(TypeError) as refused:
        quick.dumps((endless,), methodresponse=1, allow_none=False, encoding=None)
    assert 'recursive' in str(refused.value)


@pytest.mark.parametrize('limit, params', [('MOST_BYTES', ('x' * 1000,)), ('MOST_TAGS', ([7] * 300,))])
def test_calls_that_are_large_or_may_be_deep_are_xmlrpclibs(monkeypatch, limit, params):
    data = xmlrpclib.dumps(params, 'm')
    assert read_call(data) == (params, 'm')
    monkeypatch.setattr(xml_rpc, limit, 1000)
    with pytest.raises(xml_rpc.Odd):
        read_call(data)
    assert quick.loads(data) == (params, 'm')


def test_what_may_hide_tags_in_entities_is_xmlrpclibs():
    document = (CALL % '<param><value>&a;</value></param>').partition('?>')[2]
    data = '<!DOCTYPE x [<!ENTITY a "&#60;int>7&#60;/int>">]>' + document
    assert xmlrpclib.loads(data) == ((7,), 'm') == quick.loads(data)
    with pytest.raises(xml_rpc.Odd):
        read_call(data)


def test_all_else_is_the_modules():
    assert quick.Fault is xmlrpclib.Fault and quick.Binary is xmlrpclib.Binary
    fault = xmlrpclib.Fault(1, 'x')
    assert quick.dumps(fault, allow_none=False, encoding=None) == xmlrpclib.dumps(fault)
