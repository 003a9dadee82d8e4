# -*- coding: utf-8 -*-
"""Two clients of OpenERP 7.0, as small as they can be: XML-RPC, and what the web client sends."""
import itertools
import json
import urllib.parse
import xmlrpc.client

import requests


class RemoteError(Exception):
    """The server answered a JSON call with an error; `data` is its description."""

    def __init__(self, error):
        super().__init__("%s: %s" % (error.get('message'), error.get('data')))
        self.data = error


class XmlRpcClient:
    """A logged-in XML-RPC client: `client.call('res.partner', 'search', [])`."""

    def __init__(self, url, database, login='admin', password='admin', log_in=True):
        self.url, self.database, self.password = url, database, password
        self.uid = self.common.login(database, login, password) if log_in else None

    def _service(self, name):
        return xmlrpc.client.ServerProxy('%s/xmlrpc/%s' % (self.url, name), allow_none=True)

    @property
    def common(self):
        """The service that logs in; a connection of its own at each use."""
        return self._service('common')

    @property
    def db(self):
        """The service that lists, creates and drops databases."""
        return self._service('db')

    @property
    def report(self):
        """The service that prints."""
        return self._service('report')

    def call(self, model, method, *arguments):
        """Call `method` of `model`; a connection of its own, so that any node may answer."""
        return self._service('object').execute(
            self.database, self.uid, self.password, model, method, *arguments)


class WebClient:
    """A browser's half of the web client: a cookie jar, JSON calls, log in and log out."""

    def __init__(self, url, database, timeout_seconds=60):
        self.url, self.database, self.timeout_seconds = url, database, timeout_seconds
        self.http = requests.Session()
        self.session_id = None
        self.uid = None
        self.last = None
        self._numbers = itertools.count(1)

    def get(self, path, **more):
        """GET `path`; the whole response."""
        self.last = self.http.get(self.url + path, timeout=self.timeout_seconds, **more)
        return self.last

    def json(self, path, **params):
        """The result of one JSON call; RemoteError when the server answers with an error."""
        params['session_id'] = self.session_id
        self.last = self.http.post(
            self.url + path, timeout=self.timeout_seconds,
            data=json.dumps({'jsonrpc': '2.0', 'method': 'call', 'params': params,
                             'id': 'r%d' % next(self._numbers)}),
            headers={'Content-Type': 'application/json'})
        self.last.raise_for_status()
        answer = self.last.json()
        if answer.get('error'):
            raise RemoteError(answer['error'])
        return answer.get('result')

    @property
    def node(self):
        """The node (address) that answered last, as nginx names it."""
        return self.last.headers.get('X-Node')

    def log_in(self, login='admin', password='admin'):
        """Log in as the web client does; return the user's id, False when refused."""
        if not self.session_id:
            self.session_id = self.json('/web/session/get_session_info')['session_id']
        answer = self.json('/web/session/authenticate', db=self.database, login=login,
                           password=password, base_location=self.url)
        self.uid = answer.get('uid')
        return self.uid

    def log_out(self):
        """Destroy the session."""
        return self.json('/web/session/destroy')

    def info(self):
        """What the session is: uid, db, session_id, context."""
        return self.json('/web/session/get_session_info')

    def call(self, model, method, *arguments, **keywords):
        """Call a method as the web client's views do."""
        return self.json('/web/dataset/call_kw', model=model, method=method,
                         args=list(arguments), kwargs=keywords)

    def cookie(self):
        """The session id that the cookie carries (the web client keeps one per session)."""
        for cookie in self.http.cookies:
            if 'session_id' in cookie.name or 'sid' in cookie.name:
                return urllib.parse.unquote(cookie.value).strip('"')
        return None
