# -*- coding: utf-8 -*-
"""gunicorn's configuration for OpenERP 7.0 without us, after OpenERP's own openerp-wsgi.py.

From the environment: OE_CONF, a configuration file of OpenERP; OE_RECIPE_REDIS, the URL of a Redis,
turns the recipe on (see benchmarks/recipe).
"""
import os

import openerp

openerp.multi_process = True
openerp.conf.server_wide_modules = ['web']
openerp.tools.config.parse_config(['-c', os.environ['OE_CONF']])

bind = '%s:%s' % (openerp.tools.config['xmlrpc_interface'], openerp.tools.config['xmlrpc_port'])
workers = openerp.tools.config['workers']
max_requests = openerp.tools.config['limit_request']
timeout = 240

if os.environ.get('OE_RECIPE_REDIS'):
    import redis
    from recipe import patches  # a copy beside this file, see systems.py

    _client = redis.Redis.from_url(os.environ['OE_RECIPE_REDIS'])
    patches.use_ormcache(_client)

    def post_worker_init(worker):
        """In each worker: the web client is loaded, then its sessions are moved."""
        openerp.service.start_internal()
        patches.use_sessions(_client)
