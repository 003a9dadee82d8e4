# -*- coding: utf-8 -*-
"""The second level of the ormcache, bound to OpenERP's models and to the ends of requests.

The first miss of a request fills the first level with all that other workers
have computed for the generation the request began with; its end sends what it
has computed itself. A request that has cleared anything does neither.
"""
from oe_cluster_launch.ormcache import decorator
from oe_cluster_launch.ormcache.shared import SharedLevel
from oe_cluster_launch.ormcache.statistics import Statistics
from oe_cluster_launch.ormcache.values import keep
from oe_cluster_launch.seams.openerp7 import signaling

#: (model, method) whose answers depend on the node itself: its locale
_LOCAL_ONLY = frozenset([('res.lang', '_lang_data_get')])


class SharedAnswers(object):
    """Made in the master, used in every worker."""

    def __init__(self, context):
        settings = context.settings
        store = context.store.sibling(settings.ormcache_timeout, 'ormcache')
        self._level = SharedLevel(store, context.sealing, settings.ormcache_ttl, settings.ormcache_limit,
                                  settings.ormcache_value_limit)
        self._statistics = Statistics(store, context.name, self._level.counts)

    def fill(self, state):
        """Put what other workers know into the first level; whether there was anything."""
        state.polled = True
        registry = _registries().get(state.name)
        if state.generation is None or registry is None or not state.request.bounded:
            return False
        answers = self._level.fetch(state.name, _place(state))
        return bool(answers) and state.level.put(state.epoch, list(_entries(registry, answers)))

    def at_end(self, states):
        """Share what a clean request has computed and committed; `states` of the databases it has touched."""
        for state in states:
            if state.fresh and state.generation is not None:
                self._level.publish(state.name, _place(state), _named(state.fresh))
        self._statistics.request_ended(states)


def bind(context):
    """Turn the second level on or off for this process."""
    shared = SharedAnswers(context) if context.settings.shared_ormcache else None
    decorator.fill = shared and shared.fill
    signaling.at_end = shared and shared.at_end


def _place(state):
    return '%s-%s' % (state.name, state.generation.database), state.generation.text


def _entries(registry, answers):
    """Fetched answers as the first level keeps them; those of models we do not have are left out."""
    for answer in answers:
        model, cache = registry.models.get(answer.model), decorator.by_identity.get(answer.method)
        if model is not None and cache is not None:
            yield cache.lru(model), answer.key, keep(answer.value)


def _named(fresh):
    """A request's answers under the names that all nodes use."""
    for (model, cache), key, kept in fresh:
        if (model._name, cache.method.__name__) not in _LOCAL_ONLY:
            yield (model._name, cache.identity, key), kept


def _registries():
    from openerp.modules.registry import RegistryManager
    return RegistryManager.registries
