# -*- coding: utf-8 -*-
"""The systems that are compared, each behind an nginx of its own and on a copy of the same database.

All have the same number of workers in total, the same options, the same PostgreSQL. All log
warnings only and recycle no worker, so that neither access lines nor new workers are measured
here by accident (boot.py measures new workers). nginx goes round the nodes: with ip_hash all
load of one machine would reach one node.
"""
import os
import shutil

from testbed import paths, session
from testbed.cluster import Cluster
from testbed.nginx import Nginx
from testbed.node import StockServer
from testbed.redis_server import RedisServer

OPTIONS = {'log_level': 'warn', 'limit_request': 10 ** 9, 'limit_memory_soft': 4 << 30,
           'limit_memory_hard': 6 << 30, 'limit_time_cpu': 600, 'limit_time_real': 1200}


class GunicornServer(StockServer):
    """The stock application under plain gunicorn, with the recipe when `recipe_redis` is a URL."""

    def __init__(self, name, folder, postgres, recipe_redis=None, **more):
        super().__init__(name, folder, postgres, **more)
        search_path = ':'.join(filter(None, [self.folder, os.environ.get('PYTHONPATH')]))
        self.environment.update(OE_CONF=self.configuration_path, OE_RECIPE_REDIS=recipe_redis or '',
                                PYTHONPATH=search_path)

    def configure(self):
        """The account need not be able to read the checkout: it gets copies."""
        super().configure()
        source = os.path.join(paths.CHECKOUT, 'benchmarks')
        shutil.copy(os.path.join(source, 'suite', 'gunicorn_conf.py'), self.folder)
        shutil.copytree(os.path.join(source, 'recipe'), os.path.join(self.folder, 'recipe'),
                        ignore=shutil.ignore_patterns('*.pyc', '__pycache__'))

    def command(self):
        return [paths.python27('gunicorn'), 'openerp:service.wsgi_server.application', '-c',
                os.path.join(self.folder, 'gunicorn_conf.py')]


class System(object):
    """One of the compared: `key` in the results, `label` in the tables, `url` of its nginx.

    :ivar nodes: the servers, for measurements past nginx
    :ivar redis: the RedisServer it uses, or None
    """

    def __init__(self, key, label, workers):
        self.key, self.label, self.workers = key, label, workers
        self.nodes, self.redis, self.database, self.nginx = [], None, None, None

    @property
    def url(self):
        """Its front door, which goes round the nodes."""
        return self.nginx.round_robin_url

    def start(self, wait=True):
        """Start all; what must wait for it is waited for at the end."""
        if self.redis:
            self.redis.start()
        for node in self.nodes:
            node.start(wait=False)
        self.nginx.start()
        return self.wait() if wait else self

    def wait(self):
        """Wait until every node serves."""
        for node in self.nodes:
            node.wait_until_serving(120)
        return self

    def kill_all(self):
        """Kill all."""
        for service in [self.nginx] + self.nodes + [self.redis]:
            if service:
                service.kill_all()


def _folder(name):
    return session.fresh_folder(name.replace(' ', '-'))


def ours(postgres, database, nodes=1, workers=4, settings=None, **more):
    """Our cluster with so many nodes of so many workers, every feature on."""
    system = System('ours %dx%d' % (nodes, workers), 'ours, %d × %d' % (nodes, workers), nodes * workers)
    system.redis = RedisServer(_folder('redis'))
    cluster = Cluster(_folder(system.key), postgres, system.redis, database, nodes=nodes, workers=workers,
                      options=dict(OPTIONS, **more.pop('options', {})), settings=settings, **more)
    system.nodes, system.nginx, system.database = cluster.nodes, cluster.nginx, database
    return system


def stock(postgres, database, workers=4, **more):
    """`openerp-server --workers`."""
    system = System('stock', 'stock', workers)
    more['options'] = dict(OPTIONS, **more.get('options', {}))
    return _single(system, StockServer('stock', _folder('stock'), postgres, database=database,
                                       workers=workers, **more))


def gunicorn(postgres, database, workers=4):
    """The stock application under plain gunicorn."""
    system = System('gunicorn', 'plain gunicorn', workers)
    return _single(system, GunicornServer('gunicorn', _folder('gunicorn'), postgres, database=database,
                                          workers=workers, options=OPTIONS))


def recipe(postgres, database, workers=4):
    """The recipe, under gunicorn."""
    system = System('recipe', 'the recipe', workers)
    system.redis = RedisServer(_folder('redis'))
    return _single(system, GunicornServer('recipe', _folder('recipe'), postgres, database=database,
                                          workers=workers, recipe_redis=system.redis.url, options=OPTIONS))


def _single(system, server):
    system.nodes, system.database = [server], server.options['db_name']
    system.nginx = Nginx(os.path.join(server.folder, 'nginx'), [server.port])
    return system
