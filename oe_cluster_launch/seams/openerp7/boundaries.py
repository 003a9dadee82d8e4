# -*- coding: utf-8 -*-
"""Where OpenERP meets signaling.py: the request's two ends, the registry, whatever clears.

OpenERP checks and signals in two RPC services only, and sends some signals
before the commit (fault 7) or not at all (faults 6, 9, 10). Here every HTTP
request has both ends, and between them clears and signals are only noted.
"""
import threading

from oe_cluster_launch.ormcache import request
from oe_cluster_launch.seams.openerp7 import repetition, signaling
from oe_cluster_launch.seams.seam import BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Class, Function

_REGISTRY = 'openerp.modules.registry'


def coherent_application(original, context):
    """Every HTTP request, whatever answers it, is checked before and signaled after."""
    def application(environ, start_response):
        with signaling.coherent():
            return original(environ, start_response)
    return application


def cluster_registry(original, context):
    """OpenERP's Registry, whose flag belongs to the request that set it, not to the process."""

    class ClusterRegistry(original):

        #: which database this is, see generation.py
        ormcache_identity = None

        @property
        def _any_cache_cleared(self):
            return request.current().database(self.db_name).cleared

        @_any_cache_cleared.setter
        def _any_cache_cleared(self, cleared):
            if cleared:
                request.current().database(self.db_name).clear()

        def clear_caches(self):
            """As OpenERP's: forget everything here, and tell everybody, held or not."""
            self._any_cache_cleared = True
            super(ClusterRegistry, self).clear_caches()

    ClusterRegistry.__name__ = original.__name__
    return ClusterRegistry


def checked_get(original, context):
    """The first touch of a database in a request: compare the sequences.

    What is loaded whole is found without OpenERP's lock, which takes longer than all the rest.
    """
    @classmethod
    def get(cls, db_name, force_demo=False, status=None, update_module=False):
        current = request.current()
        if current.bounded and not current.database(db_name).checked:
            signaling.check(db_name)
        registry = cls.registries.get(db_name)
        if registry is None or not registry.ready:
            return original(db_name, force_demo, status, update_module)
        threading.current_thread().dbname = db_name  # as OpenERP does
        return registry
    return get


def coherent_new(original, context):
    """Loading a registry changes nothing that others must hear of, unless it updates modules."""
    @classmethod
    def new(cls, db_name, force_demo=False, status=None, update_module=False):
        with signaling.coherent() as current, repetition.apart(not update_module):
            state = current.database(db_name)
            state.checked = True
            state.quiet += 0 if update_module else 1
            try:
                registry = original(db_name, force_demo, status, update_module)
            finally:
                state.quiet -= 0 if update_module else 1
            signaling.identify(registry)
            # what was rolled back while modules were loading is not in this registry
            state.failed = state.models_touched = False
            return registry
    return new


def quiet_delete(original, context):
    """Letting go of a registry is no change of its database."""
    @classmethod
    def delete(cls, db_name):
        with request.current().database(db_name).quietly():
            return original(db_name)
    return delete


def check_registry_signaling(original, context):
    @classmethod
    def check(cls, db_name):
        signaling.check(db_name)
    return check


def signal_caches_change(original, context):
    """A clear is noted when it happens; when to send it is decided at the commit (fault 7)."""
    @classmethod
    def signal(cls, db_name):
        signaling.after_commit(db_name)
    return signal


def signal_registry_change(original, context):
    """Noted, and sent after the commit (fault 7)."""
    @classmethod
    def signal(cls, db_name):
        request.current().database(db_name).models_changed = True
        signaling.after_commit(db_name)
    return signal


def clear_caches(original, context):
    """OpenERP clears and flags only what this worker happens to hold (fault 6)."""
    def clear_caches(self):
        result = original(self)
        self.pool._any_cache_cleared = True
        state = request.current().database(self.pool.db_name)
        if state.view is not None:
            state.view.empty(self)
        return result
    return clear_caches


_GET = ('cls', 'db_name', 'force_demo', 'status', 'update_module')

SEAMS = [
    Seam('request', 'openerp.service.wsgi_server', 'application',
         Function('environ', 'start_response'), coherent_application,
         "log-in, web controllers and failed requests would neither check nor signal",
         phase=BEFORE_ADDONS),
    Seam('registry', _REGISTRY, 'Registry',
         Class(__init__=('self', 'db_name'), clear_caches=('self',)), cluster_registry,
         "a thread's uncommitted clear would be signaled by another thread's request",
         phase=BEFORE_ADDONS),
    Seam('registry get', _REGISTRY, 'RegistryManager.get', Function(*_GET), checked_get,
         "a request's first answers could be older than its start", phase=BEFORE_ADDONS),
    Seam('registry new', _REGISTRY, 'RegistryManager.new', Function(*_GET), coherent_new,
         "every reload would tell all other workers to forget their caches", phase=BEFORE_ADDONS),
    Seam('registry delete', _REGISTRY, 'RegistryManager.delete', Function('cls', 'db_name'), quiet_delete,
         "every reload would tell all other workers to forget their caches", phase=BEFORE_ADDONS),
    Seam('signaling check', _REGISTRY, 'RegistryManager.check_registry_signaling',
         Function('cls', 'db_name'), check_registry_signaling,
         "the sequences would be compared again in the middle of a request", phase=BEFORE_ADDONS),
    Seam('signal caches', _REGISTRY, 'RegistryManager.signal_caches_change',
         Function('cls', 'db_name'), signal_caches_change,
         "signals would be sent before the commit, or adopted over another node's", phase=BEFORE_ADDONS),
    Seam('signal registry', _REGISTRY, 'RegistryManager.signal_registry_change',
         Function('cls', 'db_name'), signal_registry_change,
         "signals would be sent before the commit, or adopted over another node's", phase=BEFORE_ADDONS),
    Seam('model caches', 'openerp.osv.orm', 'BaseModel.clear_caches', Function('self'), clear_caches,
         "a worker that holds nothing would not tell the others to forget", phase=BEFORE_ADDONS),
]
