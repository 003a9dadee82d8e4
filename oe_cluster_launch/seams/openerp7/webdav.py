# -*- coding: utf-8 -*-
"""What document_webdav remembers, remembered for one request and no longer.

It keeps answers by the printed form of the handler, which is a memory address:
the next request's handler may have the same one, and gets sizes, dates and
existence as another user saw them, or as they were before another node wrote
(fault 22). The keeping itself is useful: within one request it is left alone.
"""
import sys

from oe_cluster_launch.seams.seam import AFTER_ADDONS, Seam
from oe_cluster_launch.seams.shape import Function

_MODULE = 'openerp.addons.document_webdav.dav_fs'
#: what the decorator keeps its answers in: variables of its closure
_KEPT_IN = ('cache', 'heap')


def fresh_webdav(original, context):
    """Forget before every WebDAV request. The addon may be imported long after us, or never."""
    def wsgi_webdav(environ, start_response):
        module = sys.modules.get(_MODULE)
        if module is not None and environ['PATH_INFO'].startswith('/webdav'):
            forget(module.openerp_dav_handler)
        return original(environ, start_response)
    return wsgi_webdav


def forget(handler_class):
    """Empty what the memoized methods of the handler's class remember."""
    for method in vars(handler_class).values():
        for name, kept in _closure(method):
            if name in _KEPT_IN and hasattr(method, 'misses'):
                if isinstance(kept, list):
                    del kept[:]
                else:
                    kept.clear()


def _closure(function):
    cells = getattr(function, '__closure__', None) or ()
    return zip(function.__code__.co_freevars, [cell.cell_contents for cell in cells]) if cells else ()


SEAMS = [
    Seam('webdav', 'openerp.service.wsgi_server', 'wsgi_webdav', Function('environ', 'start_response'),
         fresh_webdav, "a WebDAV client would see another user's answers, or those of an hour ago",
         phase=AFTER_ADDONS),
]
