# -*- coding: utf-8 -*-
"""The requests that are sent: what XML-RPC clients and OpenERP's web client send, byte for byte.

Each workload is a list of requests that are sent in turn. A first answer to each is looked at in
full before anything is measured; under load, an answer that lacks what a sound one has is a failure.
"""
import http.client
import json
import urllib.parse
import xmlrpc.client

SESSIONS = 8
#: the workloads that the targets call short RPCs, and static files
SHORT = ('XML-RPC version', 'XML-RPC search', 'XML-RPC read, 1 partner', 'web: session info',
         'web: read, 1 partner')
STATIC = ('static file, 3 kB', 'static file, 212 kB')
#: of their series with the nginx that we describe; others have a plain one
AS_SHIPPED = ', nginx as shipped'
FORM_JS = '/web/static/src/js/view_form.js'  # 212 kB
LOGO = '/web/static/src/img/logo.png'  # 3 kB


class Request(object):
    """One request."""

    def __init__(self, method, path, headers=None, body=None):
        self.method, self.path, self.headers, self.body = method, path, dict(headers or {}), body

    def as_dict(self):
        """For wrk.lua."""
        told = {'method': self.method, 'path': self.path, 'headers': self.headers}
        return dict(told, body=self.body) if self.body is not None else told

    def send(self, url, timeout_seconds=120):
        """Send it once, by itself; the body of the answer. HTTPException for anything but 200."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=timeout_seconds)
        try:
            connection.request(self.method, self.path, self.body, self.headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise http.client.HTTPException('%s %s: %d' % (self.method, self.path, answer.status))
        self.cookies = answer.headers.get_all('Set-Cookie') or []
        return body


class Workload(object):
    """`requests` in turn; `sound` is in every sound answer."""

    def __init__(self, name, requests, sound=None):
        self.name, self.requests, self.sound = name, requests, sound

    def check(self, url):
        """Send each request once; ValueError when an answer is not sound."""
        for request in self.requests[:10]:
            body = request.send(url)
            if self.sound and self.sound.encode() not in body:
                raise ValueError("%s: %s answers %r" % (self.name, url, body[:600]))


def xml_rpc(service, method, *arguments):
    """An XML-RPC request, as Python's and everybody's libraries send it."""
    return Request('POST', '/xmlrpc/' + service, {'Content-Type': 'text/xml'},
                   xmlrpc.client.dumps(arguments, method, allow_none=True))


def json_rpc(path, session=None, **params):
    """A JSON request of the web client; `session` is a pair (cookie, session id in the page)."""
    headers = {'Content-Type': 'application/json'}
    if session:
        headers['Cookie'] = session[0]
        params['session_id'] = session[1]
    return Request('POST', path, headers, json.dumps(
        {'jsonrpc': '2.0', 'method': 'call', 'params': params, 'id': 'r1'}))


def log_in(url, database):
    """Log in as the web client does; the pair (cookie, session id)."""
    first = json_rpc('/web/session/get_session_info')
    session_id = json.loads(first.send(url).decode())['result']['session_id']
    second = json_rpc('/web/session/authenticate', (_cookie(first), session_id), db=database, login='admin',
                      password='admin', base_location=url)
    answer = json.loads(second.send(url).decode())
    if not answer.get('result', {}).get('uid'):
        raise ValueError("log-in at %s failed: %s" % (url, answer))
    return _cookie(second) or _cookie(first), session_id


def _cookie(request):
    return '; '.join(cookie.split(';')[0] for cookie in request.cookies)


class Workloads(object):
    """The workloads of one system: they name its database and sessions of its own."""

    def __init__(self, url, database):
        self._url, self._database = url, database
        self._sessions = [log_in(url, database) for _ in range(SESSIONS)]
        self._partners = self._ask('res.partner', 'search', [], 0, 40)
        self._context = {'lang': 'en_US', 'tz': False, 'uid': 1}

    def _execute(self, model, method, *arguments):
        return xml_rpc('object', 'execute', self._database, 1, 'admin', model, method, *arguments)

    @staticmethod
    def search(database):
        """The least that needs a registry."""
        return xml_rpc('object', 'execute', database, 1, 'admin', 'res.users', 'search', [])

    @staticmethod
    def form(database):
        """A request that needs a registry, views, translations, access rights."""
        return xml_rpc('object', 'execute', database, 1, 'admin', 'sale.order', 'fields_view_get', False,
                       'form')

    def _ask(self, *words):
        return xmlrpc.client.loads(self._execute(*words).send(self._url))[0][0]

    def _web(self, path, **params):
        return [json_rpc(path, session, **params) for session in self._sessions]

    def _web_call(self, model, method, arguments):
        return self._web('/web/dataset/call_kw', model=model, method=method, args=arguments,
                         kwargs={'context': self._context})

    def _reads(self):
        return [self._execute('res.partner', 'read', [number], ['name', 'email', 'phone'])
                for number in self._partners]

    def _writes(self):
        return [self._execute('res.partner', 'write', [number], {'phone': '+32 2 %d' % number})
                for number in self._partners]

    def _mixed(self):
        reads, writes = self._reads(), self._writes()
        return [writes[place] if place % 5 == 4 else reads[place] for place in range(len(reads))]

    def all(self):
        """Every workload, in the order of the tables."""
        return [
            Workload('XML-RPC version', [xml_rpc('common', 'version')], 'server_version'),
            Workload('XML-RPC search', [self.search(self._database)], '<array>'),
            Workload('XML-RPC read, 1 partner', self._reads(), '<name>email</name>'),
            Workload('XML-RPC read, 40 partners', [self._execute(
                'res.partner', 'read', self._partners,
                ['name', 'email', 'phone', 'country_id', 'category_id'])], '<name>email</name>'),
            Workload('XML-RPC write', self._writes(), '<boolean>1</boolean>'),
            Workload('mixed: 80 % read, 20 % write', self._mixed(), '<value>'),
            Workload('web: session info', self._web('/web/session/get_session_info'), '"uid": 1'),
            Workload('web: read, 1 partner', [
                request for number in self._partners[:5]
                for request in self._web_call('res.partner', 'read', [[number], ['name', 'email']])],
                '"email": '),
            Workload('web: form view', self._web_call('sale.order', 'fields_view_get', [False, 'form']),
                     '"arch": '),
            Workload('web: menus', self._web('/web/menu/load'), '"children": '),
            Workload('web: list of orders', self._web(
                '/web/dataset/search_read', model='sale.order', offset=0, limit=80, domain=[], sort='',
                fields=['name', 'date_order', 'partner_id', 'user_id', 'amount_total', 'state']),
                '"records": '),
            Workload('log-in', [json_rpc('/web/session/authenticate', db=self._database, login='admin',
                                         password='admin', base_location=self._url)], '"uid": 1'),
            Workload(STATIC[0], [Request('GET', LOGO)]),
            Workload(STATIC[1], [Request('GET', FORM_JS)]),
        ]
