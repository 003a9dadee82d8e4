# -*- coding: utf-8 -*-
"""A real OpenID 2.0 provider on loopback, from python-openid's server side. It says yes to everybody."""
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

from openid.server.server import CheckIDRequest, Server
from openid.store.memstore import MemoryStore

XRDS = """<?xml version="1.0" encoding="UTF-8"?>
<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)"><XRD><Service priority="0">
<Type>http://specs.openid.net/auth/2.0/signon</Type><URI>%s</URI><LocalID>%s</LocalID>
</Service></XRD></xrds:XRDS>"""


class Provider(object):
    """`identity` is the OpenID of its one user; `associations` counts how often one was made."""

    def __init__(self):
        self.http = HTTPServer(('127.0.0.1', 0), self._handler())
        self.url = 'http://127.0.0.1:%d' % self.http.server_port
        self.identity = self.url + '/alice'
        self.associations = 0
        self.server = Server(MemoryStore(), self.url + '/endpoint')
        self._thread = threading.Thread(target=self.http.serve_forever)
        self._thread.daemon = True

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self.http.shutdown()
        self.http.server_close()

    def answer(self, path, form):
        """(status, headers, body) of one request."""
        if urlsplit(path).path == '/alice':
            text = XRDS % (self.url + '/endpoint', self.identity)
            return 200, {'Content-Type': 'application/xrds+xml'}, text
        query = dict(parse_qsl(urlsplit(path).query), **form)
        request = self.server.decodeRequest(query)
        if isinstance(request, CheckIDRequest):
            response = request.answer(True)
        else:
            self.associations += query['openid.mode'] == 'associate'
            response = self.server.handleRequest(request)
        encoded = self.server.encodeResponse(response)
        return encoded.code, encoded.headers, encoded.body

    def _handler(provider):  # noqa: N805 - inside the handler, self is the handler
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self, form=()):  # noqa: N802
                status, headers, body = provider.answer(self.path, dict(form))
                body = body if isinstance(body, bytes) else body.encode('utf-8')
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers['Content-Length'])).decode('utf-8')
                self.do_GET(parse_qsl(body))

            def log_message(self, *arguments):
                pass
        return Handler
