# -*- coding: utf-8 -*-
"""The recipe's two changes to OpenERP 7.0."""
import pickle
import sys

from werkzeug.contrib.sessions import SessionStore

TTL_SECONDS = 7 * 24 * 3600


class RecipeSessionStore(SessionStore):
    """A pickle per session, written back after every request."""

    def __init__(self, client):
        SessionStore.__init__(self)
        self.client = client

    def get(self, sid):
        data = self.client.get('session:' + sid) if self.is_valid_key(sid) else None
        if data is None:
            return self.new()
        return self.session_class(pickle.loads(data), sid, False)  # noqa: S301 - the fault of the recipe

    def save(self, session):
        self.client.set('session:' + session.sid, pickle.dumps(dict(session), 2))
        self.client.expire('session:' + session.sid, TTL_SECONDS)

    def delete(self, session):
        self.client.delete('session:' + session.sid)


def use_sessions(client):
    """After OpenERP's services have started: the web client's sessions go to Redis."""
    from openerp.service import wsgi_server
    web = sys.modules['openerp.addons.web.http']
    web.session_gc = lambda store: None
    for handler in wsgi_server.module_handlers:
        if isinstance(handler, web.Root):
            handler.session_store = RecipeSessionStore(client)


def use_ormcache(client):
    """Before any addon is imported: answers of cached methods go to Redis."""
    from openerp.tools import cache as _class  # noqa: F401 - imports the module below
    module = sys.modules['openerp.tools.cache']

    def bucket(cache, model):
        return 'ormcache:%s:%s:%s' % (model.pool.db_name, model._name, cache.method.__name__)

    def one(cache, model, cr, args, key):
        field = repr(key)
        data = client.hget(bucket(cache, model), field)
        if data is not None:
            return pickle.loads(data)  # noqa: S301 - the fault of the recipe
        value = cache.method(model, cr, *args)
        client.hset(bucket(cache, model), field, pickle.dumps(value, 2))
        return value

    def lookup(cache, model, cr, *args):
        return one(cache, model, cr, args, args[cache.skiparg - 2:])

    def lookup_multi(cache, model, cr, *args):
        args, found = list(args), {}
        for number in args[cache.multi]:
            each = args[:cache.multi] + [[number]] + args[cache.multi + 1:]
            key = args[:cache.multi] + [number] + args[cache.multi + 1:]
            answer = one(cache, model, cr, each, tuple(key[cache.skiparg - 2:]))
            found[number] = answer.get(number) if isinstance(answer, dict) else answer
        return found

    def clear(cache, model, *args):
        model.pool._any_cache_cleared = True
        client.delete(bucket(cache, model))

    module.ormcache.lookup, module.ormcache.clear = lookup, clear
    module.ormcache_multi.lookup = lookup_multi

