# -*- coding: utf-8 -*-
"""Constant load by real clients that check every answer and remember every failure."""
import itertools
import threading
import time

import requests

from .clients import XmlRpcClient

PAUSE_SECONDS = 0.02
STATIC = '/web/static/src/img/logo.png'


class Load:
    """`with Load(url, database, clients=3) as load: ...`, then look at `failures` and `served`.

    Each client in turn reads and creates by XML-RPC (POST), calls by JSON (POST) and gets a file.
    """

    def __init__(self, url, database, clients=3):
        self.url, self.database = url, database
        self.failures = []
        self.served = 0
        self.created = []
        self._numbers = itertools.count(1)
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]
        self._began = time.time()
        self._static = requests.get(url + STATIC, timeout=10).content

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception):
        self._end.set()
        for thread in self._threads:
            thread.join(60)

    def _client(self):
        client = XmlRpcClient(self.url, self.database)
        for act in itertools.cycle([self._read, self._create, self._json, self._get]):
            if self._end.is_set():
                return
            try:
                act(client)
                self.served += 1
            except Exception as error:
                self.failures.append('%.1f s: %s: %r' % (
                    time.time() - self._began, act.__name__, error))
            time.sleep(PAUSE_SECONDS)

    def _read(self, client):
        answer = client.call('res.users', 'search', [('login', '=', 'admin')])
        assert answer == [1], answer

    def _create(self, client):
        name = 'Load %d' % next(self._numbers)
        number = client.call('res.partner', 'create', {'name': name})
        self.created.append((number, name))

    def _json(self, client):
        answer = requests.post(self.url + '/web/webclient/version_info', timeout=60, json={
            'jsonrpc': '2.0', 'method': 'call', 'params': {}, 'id': 'r1'})
        assert answer.status_code == 200, answer
        assert answer.json()['result']['server_serie'] == '7.0', answer.text

    def _get(self, client):
        answer = requests.get(self.url + STATIC, timeout=60)
        assert answer.status_code == 200 and answer.content == self._static, answer
