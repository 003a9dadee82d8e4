# -*- coding: utf-8 -*-
"""One worker of a node, run as a child of a test that tells it what to do, line by line.

Called as: worker_process.py ours|stock DATABASE HOST PORT ROLE [REDIS_URL KEY_FILE].
Each line of its input is JSON: {"rpc": [service, method, params]} goes through
OpenERP's WSGI application as a client's request would; {"run": code} is executed in
this process and answers the variable `answer`. Each answer is one line of JSON.
"""
import json
import os
import sys

import xmlrpclib
from cStringIO import StringIO


class Context(object):
    """What boot.Node hands to the seams."""

    name = 'worker'

    def __init__(self, host, redis_url, key_file):
        from oe_cluster_launch.sealing import Sealing
        from oe_cluster_launch.sealing import key_file as keys
        from oe_cluster_launch.settings import load_settings
        from oe_cluster_launch.store import Store
        environment = {'OE_CLUSTER_REDIS_URL': redis_url or 'unix:///nowhere.sock'}
        environment.update((name, value) for name, value in os.environ.items()
                           if name.startswith('OE_CLUSTER_'))
        self.host = host
        self.settings = load_settings(None, environment)
        self.store = Store(self.settings)
        self.sealing = Sealing(key_file) if key_file else Sealing(None, [keys.new_key()])


def boot(kind, database, db_host, db_port, db_user, redis_url=None, key_file=None):
    """OpenERP in this process, with or without the seams for PostgreSQL, caches and XML-RPC."""
    from oe_cluster_launch.seams.openerp7 import (
        boundaries,
        connections,
        credentials,
        ormcache,
        pool,
        repetition,
        transactions,
        xml_rpc,
    )
    from oe_cluster_launch.seams.openerp7.host import Host
    from oe_cluster_launch.seams.seam import AFTER_ADDONS, BEFORE_ADDONS, SeamTable
    host = Host()
    host.read_options(['-d', database, '--db_host', db_host, '--db_port', db_port, '--db_user', db_user,
                       '--logfile', os.environ.get('WORKER_LOG', '/dev/null')])
    host.become_multi_process()
    host.start_logging()
    table = SeamTable(connections.SEAMS + pool.SEAMS + transactions.SEAMS + repetition.SEAMS
                      + boundaries.SEAMS + credentials.SEAMS + ormcache.SEAMS + xml_rpc.SEAMS)
    context = Context(host, redis_url, key_file)
    if kind == 'ours':
        table.install(BEFORE_ADDONS, context)
    host.start_services()
    if kind == 'ours':
        table.install(AFTER_ADDONS, context)
    return host


def call(host, service, method, params):
    """One XML-RPC request, through the WSGI application."""
    body = xmlrpclib.dumps(tuple(params), method, allow_none=True)
    environ = {'REQUEST_METHOD': 'POST', 'PATH_INFO': '/xmlrpc/%s' % service, 'SCRIPT_NAME': '',
               'CONTENT_LENGTH': str(len(body)), 'wsgi.input': StringIO(body),
               'CONTENT_TYPE': 'text/xml', 'SERVER_NAME': 'test', 'SERVER_PORT': '0',
               'wsgi.url_scheme': 'http', 'QUERY_STRING': '', 'REMOTE_ADDR': '127.0.0.1'}
    answer = ''.join(host.application(environ, lambda status, headers: None))
    return xmlrpclib.loads(answer)[0][0]


def main():
    # whatever the host prints must not get between the answers
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    host = boot(*sys.argv[1:])
    scope = {'host': host, 'openerp': host.openerp, 'database': sys.argv[2]}
    answers.write('{"answer": "ready"}\n')
    answers.flush()
    for line in iter(sys.stdin.readline, ''):
        order = json.loads(line)
        try:
            if 'rpc' in order:
                result = {'answer': call(host, *order['rpc'])}
            else:
                scope['answer'] = None
                exec(order['run'], scope)  # noqa: S102 - our own tests' code
                result = {'answer': scope['answer']}
        except xmlrpclib.Fault as fault:
            result = {'fault': '%s %s' % (fault.faultCode, fault.faultString)}
        except Exception as error:
            result = {'fault': '%s: %s' % (type(error).__name__, error)}
        answers.write(json.dumps(result, default=str) + '\n')
        answers.flush()


if __name__ == '__main__':
    main()
