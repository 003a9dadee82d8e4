# -*- coding: utf-8 -*-
"""`make run`, `make stop`, `make clean`: two nodes and nginx on a demo database."""
import os
import shutil
import signal

from . import account, environments, golden, install, paths, ports, process_table, progress, running
from .cluster import Cluster
from .node import OpenErpServer
from .postgres import Postgres
from .problem import Problem
from .redis_server import RedisServer
from .waiting import wait_until

DATABASE = 'demo'
#: The services in the order in which they stop; they start the other way round.
NAMES = ['nginx', 'b', 'a', 'redis', 'postgres']
PORTS = {'sticky': ('OE_DEMO_PORT', 8080), 'round_robin': ('OE_DEMO_ROUND_ROBIN_PORT', 8081),
         'a': ('OE_DEMO_PORT_A', 8071), 'b': ('OE_DEMO_PORT_B', 8072),
         'status_a': ('OE_DEMO_STATUS_PORT_A', 9071), 'status_b': ('OE_DEMO_STATUS_PORT_B', 9072)}


def run(openerp=None):
    """Install what is missing, start what does not run, print where it is."""
    openerp = os.path.abspath(os.path.join(paths.CHECKOUT, openerp)) if openerp else None
    install.install({'openerp'}, openerp)
    identity = '%s %s' % (environments.our_digest(), openerp)
    if running.recorded(running.DEMO) and _identity() != identity:
        progress.say("oe-cluster-launch has changed since the demo was started: restarting it.")
        stop()
    services = _services(openerp)
    for name in NAMES:
        services[name].pid = running.recorded(running.DEMO).get(name)
    missing = [name for name in reversed(NAMES) if not services[name].is_running()]
    _check_ports(missing)
    if missing:
        with open(paths.state('demo', 'identity'), 'w') as stream:
            stream.write(identity)
        _start(services, missing)
    progress.say(WELCOME % {
        'state': "runs already" if not missing else "is ready", 'sticky': _port('sticky'),
        'round_robin': _port('round_robin'), 'a': _port('a'), 'b': _port('b'),
        'status_a': _port('status_a'), 'folder': paths.state('demo')})


WELCOME = """
The cluster %(state)s: two nodes, one database, one Redis.

  http://127.0.0.1:%(sticky)d   through nginx, ip_hash (a client stays on its node)
  http://127.0.0.1:%(round_robin)d   through nginx, round robin (no stickiness needed)
  http://127.0.0.1:%(a)d   node a itself
  http://127.0.0.1:%(b)d   node b itself
  http://127.0.0.1:%(status_a)d/_cluster/   how the cluster is

  database demo, log in as admin with password admin
  logs     %(folder)s/*/*.log
  stop it  make stop
"""


def stop():
    """Stop the demo; nothing keeps running."""
    found = running.recorded(running.DEMO)
    for name in NAMES:
        if name not in found:
            continue
        with progress.step("stopping %s" % name):
            pid = found[name]
            running.send([pid], Postgres.stop_signal if name == 'postgres' else signal.SIGTERM)
            try:
                wait_until(lambda pid=pid: not process_table.entry(pid), 30, "%s ended" % name)
            finally:
                running.kill_family(pid)
                running.forget(pid)
    running.sweep()


def clean():
    """Stop everything and delete the state folder. Debian packages and the account stay."""
    stop()
    shutil.rmtree(paths.state_folder(), ignore_errors=True)


def _services(openerp):
    OpenErpServer.openerp = openerp
    owner = {'owner': running.DEMO}
    # Another OpenERP has another database, so the folder is named like the golden one.
    data = os.path.basename(golden.folder(openerp))
    postgres = Postgres(_folder('postgres-' + data), golden.data(openerp), tcp=False, **owner)
    redis = RedisServer(_folder('redis'), persistent=True, **owner)
    cluster = Cluster(account.folder(paths.state('demo')), postgres, redis, DATABASE,
                      ports={name: _port(name) for name in PORTS}, **owner)
    return {'postgres': postgres, 'redis': redis, 'nginx': cluster.nginx,
            'a': cluster.node('a'), 'b': cluster.node('b')}


def _folder(name):
    return account.folder(os.path.join(account.folder(paths.state('demo')), name))


def _identity():
    """What the running demo was started from: our sources and which OpenERP."""
    try:
        with open(paths.state('demo', 'identity')) as stream:
            return stream.read()
    except OSError:
        return ''


def _start(services, missing):
    try:
        for name in missing:
            with progress.step("starting %s" % name):
                services[name].start(wait=name not in ('a', 'b'))
            if name == 'postgres' and not services[name].has_database(DATABASE):
                with progress.step("creating the database %s" % DATABASE):
                    services[name].create_database(DATABASE, 'tpl_full')
        with progress.step("waiting until both nodes serve"):
            for name in ('a', 'b'):
                services[name].wait_until_serving(120)
    except BaseException:
        stop()
        raise


def _check_ports(missing):
    """A port in use is found before anything is started."""
    needed = {'a': ['a', 'status_a'], 'b': ['b', 'status_b'], 'nginx': ['sticky', 'round_robin']}
    for service in missing:
        for name in needed.get(service, ()):
            if not ports.is_free(_port(name)):
                raise Problem("Port %d is in use by %s: stop that, or choose another port with "
                              "%s=PORT make run." % (_port(name), ports.holder(_port(name))
                                                     or "another program", PORTS[name][0]))


def _port(name):
    variable, default = PORTS[name]
    try:
        return int(os.environ.get(variable) or default)
    except ValueError:
        raise Problem("%s=%s is not a port number." % (variable, os.environ[variable]))
