# -*- coding: utf-8 -*-
"""document_webdav's memory between requests: fault 22, on the addon's own decorator."""
import imp
import os

import pytest

from oe_cluster_launch.seams.openerp7 import webdav


@pytest.fixture
def handler_class(host):
    """A handler as the addon makes them; every instance prints alike, as at one address."""
    path = os.path.join(host.config['root_path'], 'addons', 'document_webdav', 'cache.py')
    memoize = imp.load_source('document_webdav_cache', path).memoize

    class Handler(object):
        sizes = {}

        def __repr__(self):
            return '<handler at 0x7f00>'

        @memoize(4)
        def size(self, uri):
            return self.sizes[uri]

        def exists(self, uri):
            return uri in self.sizes
    return Handler


def test_the_addon_alone_gives_the_next_request_the_last_ones_answer(handler_class):
    """The contrast."""
    handler_class.sizes['/a'] = 1
    assert handler_class().size('/a') == 1
    handler_class.sizes['/a'] = 2
    assert handler_class().size('/a') == 1


def test_each_request_begins_without_the_answers_of_the_last(handler_class):
    handler_class.sizes['/a'] = 1
    assert handler_class().size('/a') == 1
    handler_class.sizes['/a'] = 2
    webdav.forget(handler_class)
    assert handler_class().size('/a') == 2
    assert handler_class().exists('/a')


def test_the_request_itself_forgets_when_the_addon_is_there_and_only_then(handler_class, monkeypatch):
    class Module(object):
        openerp_dav_handler = handler_class
    served = []
    application = webdav.fresh_webdav(lambda environ, start: served.append(environ['PATH_INFO']), None)
    monkeypatch.delitem(webdav.sys.modules, webdav._MODULE, raising=False)
    application({'PATH_INFO': '/webdav/db'}, None)
    handler_class.sizes['/a'] = 1
    handler_class().size('/a')
    handler_class.sizes['/a'] = 2
    monkeypatch.setitem(webdav.sys.modules, webdav._MODULE, Module)
    application({'PATH_INFO': '/web'}, None)
    assert handler_class().size('/a') == 1
    application({'PATH_INFO': '/webdav/db'}, None)
    assert handler_class().size('/a') == 2
    assert served == ['/webdav/db', '/web', '/webdav/db']
