# -*- coding: utf-8 -*-
"""`ormcache` and `ormcache_multi`: the host's decorators, with our levels below them.

Same arguments, same attributes, same results as the host's own, which addons
subclass and reach into. A hit in the first level is a dict lookup in the
closure below; everything else goes through `_answer` and `_keep`. A clear is
always signaled, whether or not this worker happened to hold the key.
"""
import collections
import logging

from oe_cluster_launch.ormcache import request
from oe_cluster_launch.ormcache.local import MISSING, Table
from oe_cluster_launch.ormcache.values import Copied, NotKeepable, handed_out, keep

_logger = logging.getLogger(__name__)

#: called with a database's state at its first miss in a request; fills the first level from the
#: second and returns whether there was anything new
fill = None
#: every decorated method by its name in shared keys
by_identity = {}

#: lookups answered by the first level, by the second, and by computing
Lookups = collections.namedtuple('Lookups', 'local shared computed')


def lookups():
    """The :class:`Lookups` that all decorated methods of this process have counted so far."""
    hits = shared = misses = 0
    for cache in list(by_identity.values()):
        hits += cache.stat_hit
        shared += cache.stat_shared
        misses += cache.stat_miss
    return Lookups(hits - shared, shared, misses)


class ormcache(object):
    """Cache of a method of a model: `@ormcache(skiparg=2)`.

    :param skiparg: leading arguments (self, cr, …) that are not part of the key
    :param size: most answers kept per model
    """

    def __init__(self, skiparg=2, size=8192, multi=None, timeout=None):
        self.skiparg = skiparg
        self.size = size
        self.method = None
        self.stat_miss = 0
        self.stat_hit = 0
        self.stat_err = 0
        self.stat_shared = 0

    def __call__(self, method):
        self.method = method
        by_identity[self.identity] = self
        lookup = self._fast_lookup() if type(self).lookup is ormcache.lookup else self._plain_lookup()
        lookup.clear_cache = self.clear
        return lookup

    @property
    def identity(self):
        """This method's name in keys that nodes share."""
        code = getattr(self.method, '__code__', None)
        return '%s:%s:%d' % (self.method.__module__, self.method.__name__, code.co_firstlineno if code else 0)

    def _fast_lookup(self):
        """A hit without another call: this is where the time goes."""
        cache, method, start, views = self, self.method, self.skiparg - 2, request.states_with_view

        def lookup(self2, cr, *args):
            if not views:
                try:
                    kept = self2._ormcache[method][args[start:]]
                except (KeyError, AttributeError, TypeError):
                    pass
                else:
                    cache.stat_hit += 1
                    return kept.fresh() if kept.__class__ is Copied else kept
            return cache.lookup(self2, cr, *args)
        return lookup

    def _plain_lookup(self):
        """For subclasses that have a lookup of their own."""
        def lookup(self2, cr, *args):
            return self.lookup(self2, cr, *args)
        return lookup

    def stat(self):
        """Hits and misses as a sentence."""
        total = self.stat_hit + self.stat_miss
        return "lookup-stats hit=%s miss=%s err=%s ratio=%.1f" % (
            self.stat_hit, self.stat_miss, self.stat_err, 100.0 * self.stat_hit / total if total else 0.0)

    def lru(self, self2):
        """The table of a model."""
        try:
            tables = self2._ormcache
        except AttributeError:
            tables = self2._ormcache = {}
        try:
            return tables[self.method]
        except KeyError:
            return tables.setdefault(self.method, _new_table(self2, self.size))

    def lookup(self, self2, cr, *args):
        """The answer to one call, cached or computed."""
        key = args[self.skiparg - 2:]
        try:
            kept = _answer(self, self2, cr, key)
        except TypeError:  # as in the host: what cannot be a key is computed each time
            self.stat_err += 1
            return self.method(self2, cr, *args)
        if kept is not MISSING:
            self.stat_hit += 1
            return handed_out(kept)
        self.stat_miss += 1
        value = self.method(self2, cr, *args)
        _keep(self, self2, cr, key, value)
        return value

    def clear(self, self2, *args):
        """Forget the answer for `args`, or all answers of a model; tell everybody after the commit."""
        table, state = self.lru(self2), _state_of(self2)
        if state is not None:
            state.clear()
        view = state and state.view
        answers = table if view is None else view.answers((self2, self), table)
        if not args:
            answers.clear()
        elif answers is table:
            table.forget(args[self.skiparg - 2:])
        else:
            answers.pop(args[self.skiparg - 2:], None)


class ormcache_multi(ormcache):
    """Cache of a method that takes a list of ids and returns a dict by id.

    :param multi: which argument is the list
    """

    def __init__(self, skiparg=2, size=8192, multi=3):
        super(ormcache_multi, self).__init__(skiparg, size)
        self.multi = multi - 2

    def lookup(self, self2, cr, *args):
        """The answers for all ids; those not cached are computed in one call."""
        start, multi = self.skiparg - 2, self.multi
        args = list(args)
        answers, missing = {}, []
        for one in args[multi]:
            args[multi] = one
            try:
                kept = _answer(self, self2, cr, tuple(args[start:]))
            except TypeError:
                kept = MISSING
            if kept is MISSING:
                self.stat_miss += 1
                missing.append(one)
            else:
                self.stat_hit += 1
                answers[one] = handed_out(kept)
        if missing:
            args[multi] = missing
            answers.update(self.method(self2, cr, *args))
            for one in missing:
                args[multi] = one
                _keep(self, self2, cr, tuple(args[start:]), answers[one])
        return answers


def _new_table(model, size):
    state = _state_of(model)
    if state is None:
        return Table(size)
    return state.level.table(size)


def _state_of(model):
    """What this thread's request knows of the model's database; None for a model of no database."""
    try:
        name = model.pool.db_name
    except AttributeError:
        return None
    return request.current().database(name)


def _transaction_of(cr):
    """Our transaction of a cursor; None for one that is not ours."""
    return getattr(cr, 'ormcache_transaction', None)


def _answer(cache, model, cr, key):
    """The kept answer wherever it is, or MISSING. TypeError when `key` cannot be a key."""
    table, state = cache.lru(model), _state_of(model)
    if state is not None and state.view is not None:
        return state.view.answers((model, cache), table).get(key, MISSING)
    kept = table.find(key)
    if kept is MISSING and state is not None:
        transaction = _transaction_of(cr)
        if transaction is not None:
            kept = transaction.find((model, cache), key)
        if kept is MISSING and not state.polled and fill is not None and fill(state):
            kept = table.find(key)
            cache.stat_shared += kept is not MISSING
    return kept


def _keep(cache, model, cr, key, value):
    """Keep a computed answer where it may be believed."""
    try:
        kept = keep(value)
    except NotKeepable:
        _logger.debug("%s returned what cannot be kept: %r", cache.identity, type(value))
        return
    table, state, transaction = cache.lru(model), _state_of(model), _transaction_of(cr)
    if state is not None and state.view is not None:
        answers = state.view.answers((model, cache), table)
        if transaction is None:
            answers[key] = kept
        else:
            transaction.keep_in_view(answers, key, kept)
    elif transaction is None:
        table.put(key, kept)
    else:
        transaction.keep((model, cache), table, key, kept)
