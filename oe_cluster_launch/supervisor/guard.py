# -*- coding: utf-8 -*-
"""What a request's head must be before anything else looks at it, on either port.

gunicorn 19.10 lacks later fixes against request smuggling (CVE-2024-1135): two
servers that read one request differently. So whatever could be read in two
ways is refused, never repaired.
"""
import re

from gunicorn.http import RequestParser
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import Parser

from oe_cluster_launch.compat import argument_names

_LENGTH = re.compile(r'^[0-9]{1,18}$')
_METHOD = re.compile(r'^[A-Z]{1,20}$')
_CONTROL = re.compile(r'[\x00-\x08\x0a-\x1f\x7f]')
VERSIONS = ((1, 0), (1, 1))
#: methods whose body OpenERP reads by its length
WITH_BODY = ('POST', 'PUT')


#: an argument that later versions of gunicorn want, for the PROXY protocol, which we do not speak
_SOURCE_ADDRESS = [None] if 'source_addr' in argument_names(Parser.__init__) else []


class Refused(Exception):
    """The request is not answered by OpenERP: a status and a sentence."""

    def __init__(self, status, sentence):
        super(Refused, self).__init__(sentence)
        self.status = status


def parser(cfg, source):
    """gunicorn's parser of requests; `source` has a recv(), or yields what was received."""
    return RequestParser(cfg, source, *_SOURCE_ADDRESS)


def read_head(parser, limit_body):
    """The next head of gunicorn's RequestParser, checked; None when the client closed before its end.

    :raises Refused: it is wrong, ambiguous or too large
    """
    try:
        head = next(parser)
    except (StopIteration, NoMoreData):
        return None
    except ParseException as error:
        raise Refused('400 Bad Request', "The request's head is wrong: %s" % error)
    head.headers = without_underscores(head.headers)
    check_head(head.method, head.version, head.headers, limit_body)
    return head


def check_head(method, version, headers, limit_body):
    """Refuse an ambiguous or too large request.

    :param headers: (NAME, value) pairs, names in upper case
    :raises Refused: with the status to answer
    """
    if not _METHOD.match(method):
        raise Refused('400 Bad Request', "The method is not a word in capitals.")
    if version not in VERSIONS:
        raise Refused('505 HTTP Version Not Supported', "HTTP/1.0 and HTTP/1.1 are spoken here.")
    for name, value in headers:
        if _CONTROL.search(value):
            raise Refused('400 Bad Request', "The header %s has a control character." % name)
    lengths = _values(headers, 'CONTENT-LENGTH')
    encodings = _values(headers, 'TRANSFER-ENCODING')
    if encodings and (lengths or version == (1, 0)):
        raise Refused('400 Bad Request', "Transfer-Encoding together with Content-Length, "
                      "or in HTTP/1.0, can be read in two ways.")
    if encodings and encodings != ['chunked']:
        raise Refused('400 Bad Request', "The only Transfer-Encoding accepted is chunked.")
    if len(lengths) > 1 or not all(_LENGTH.match(length) for length in lengths):
        raise Refused('400 Bad Request', "Content-Length is not one number.")
    if method in WITH_BODY and not lengths and not encodings:
        raise Refused('411 Length Required', "A %s needs a Content-Length." % method)
    if lengths and limit_body and int(lengths[0]) > limit_body:
        raise too_large(limit_body)


def too_large(limit_body):
    return Refused('413 Request Entity Too Large',
                   "The body is larger than limit_body allows (%d bytes)." % limit_body)


def without_underscores(headers):
    """Headers that a CGI environment can tell apart: `X_Forwarded_For` would pass for another."""
    return [(name, value) for name, value in headers if '_' not in name]


def _values(headers, wanted):
    return [value for name, value in headers if name == wanted]
