# -*- coding: utf-8 -*-
"""Cache coherence over processes and nodes: what is checked before a request and sent after it.

PostgreSQL's two signaling sequences stay the only authority, as in OpenERP.
For every database a request touches they are compared at the first touch,
before any snapshot is taken, and moved after the last commit, in `finally`.
`boundaries.py` binds this to OpenERP; `coherent()` is for other loops.
"""
import logging
import sys

from oe_cluster_launch.compat import integer_types, monotonic
from oe_cluster_launch.metrics import table
from oe_cluster_launch.ormcache import request
from oe_cluster_launch.ormcache.generation import CLEAR, RELOAD, Generation, adopted, reception
from oe_cluster_launch.ormcache.meter import meter
from oe_cluster_launch.seams.openerp7 import connections, local_state
from oe_cluster_launch.seams.openerp7.connections import Prepared

_logger = logging.getLogger(__name__)

_SEQUENCES = ("SELECT base_cache_signaling.tableoid, base_registry_signaling.last_value, "
              "base_cache_signaling.last_value%s FROM base_registry_signaling, base_cache_signaling")
#: a user's row as it is now: another after every change, also by plain SQL; none if not active
_USER = "SELECT xmin::text || ctid::text FROM res_users WHERE id = $1 AND active"
SEQUENCES = Prepared('oe_cluster_sequences', _SEQUENCES % '')
SEQUENCES_AND_USER = Prepared('oe_cluster_sequences_user', _SEQUENCES % (", (%s)" % _USER), ['integer'])
USER_VERSION = Prepared('oe_cluster_user', _USER, ['integer'])

#: called with the states of a request that was settled; shares what it has computed
at_end = None
#: database name to sequences that could not be moved when they should have been
_owed = {}
#: database name to when this process compared its sequences last
_looked_at = {}


def coherent():
    """A context manager: within it this thread is one request, coherent with the cluster.

    The databases it touches are checked at first touch; what it changed is
    signaled at its end, also after an exception. Nested uses join the outer.
    """
    return request.bounded(finish)


def check(name):
    """Compare the sequences of a database with what this process knows, and act on a difference.

    Within a request once, at the first touch; without one, at every call.
    """
    state = request.current().database(name)
    if state.checked and state.request.bounded:
        return
    registry = _manager().registries.get(name)
    if registry is None or registry.base_registry_signaling_sequence is None:
        return
    state.checked = True
    try:
        if name in _owed:
            _draw(name, _owed.pop(name))
        found = _read_sequences(registry, state)
        with state.quietly():
            _receive(name, registry, found)
        _looked_at[name] = monotonic()
    except Exception:
        state.checked = False
        raise
    state.generation = known(_manager().registries[name])
    state.epoch = state.level.epoch


def expect_user(name, uid):
    """The next check of this database reads the version of this user's row along."""
    if may_be_id(uid):
        request.current().expected_users[name] = uid


def may_be_id(uid):
    """Whether a row can have this id; a client may send anything."""
    return type(uid) in integer_types and 0 < uid < 1 << 31


def known(registry):
    """The generation that this process's registry knows."""
    database, started = registry.ormcache_identity or (None, None)
    return Generation(database, started, registry.base_registry_signaling_sequence,
                      registry.base_cache_signaling_sequence)


def identify(registry):
    """Note which database a registry was loaded from: its name may belong to another one later."""
    if registry.base_registry_signaling_sequence is not None:
        state = request.current().database(registry.db_name)
        registry.ormcache_identity = _read_sequences(registry, state)[:2]
        state.generation = known(registry)
        state.epoch = state.level.epoch


def _read_sequences(registry, state):
    user = state.request.expected_users.get(state.name)
    if user is None:
        row, (database, started) = connections.fetch_single(registry.db, SEQUENCES)
    else:  # the version of the caller's row travels with them (credentials.py)
        row, (database, started) = connections.fetch_single(registry.db, SEQUENCES_AND_USER, (user,))
        state.user_versions[user] = row[3]
    return Generation('%s-%s' % (database, row[0]), started, row[1], row[2])


def _receive(name, registry, found):
    """Act on what another process has signaled."""
    action = reception(known(registry), found)
    if action in (RELOAD, CLEAR):
        table.INVALIDATIONS.count(action)
        if name in _looked_at:
            table.INVALIDATION_LAG_SECONDS.observe(monotonic() - _looked_at[name])
    if action == RELOAD:
        _logger.info("database %s: models changed elsewhere, reloading", name)
        # reads the sequences itself before it loads: it may know more than `found`
        _manager().new(name)
    elif action == CLEAR:
        _logger.info("database %s: cached answers changed elsewhere, forgetting them", name)
        # known first: of two threads one may act on a newer signal in between,
        # and a value too old only means acting once more
        registry.ormcache_identity = found[:2]
        registry.base_cache_signaling_sequence = found.cache
        local_state.refresh(registry)


def finish(ended):
    """The end of a request: settle every database it touched. Never raises."""
    states = ended.databases()
    if not states:
        return  # nothing can have been looked up
    for state in states:
        try:
            settle(state)
        except Exception:
            _logger.exception("database %s: the end of a request could not be settled", state.name)
    meter.request_ended()
    if at_end is not None:
        at_end(states)


def settle(state):
    """Send what has to be sent now that all is committed, and repair what a rollback left behind."""
    if not (state.cleared or state.models_changed or state.models_touched):
        return
    if state.failed and state.models_touched:
        # OpenERP commits in the middle of making a field: the column may be there, or not
        state.models_changed = True
    try:
        if state.committed:
            _send(state)
    finally:
        registry = _manager().registries.get(state.name)
        models, failed = state.models_changed or state.models_touched, state.failed
        state.reset()
        if registry is not None:
            with state.quietly():
                _repair(state, registry, models, failed)


def _repair(state, registry, models, failed):
    """Let go of what this process computed or changed in memory while nothing was committed."""
    if failed and models:
        # OpenERP changed its models before the rollback, and does not change them back
        _logger.info("database %s: models were changed and rolled back, loading them anew", state.name)
        _manager().delete(state.name)
    elif failed:
        local_state.refresh(registry)
    else:
        # Some clears are incomplete, some come before the write: keep nothing.
        local_state.drop(registry)


def _send(state):
    """Move the sequences; adopt the new values unless another process came in between."""
    registry = _manager().registries.get(state.name)
    names = [sequence for sequence, wanted in (('base_registry_signaling', state.models_changed),
                                               ('base_cache_signaling', state.cleared)) if wanted]
    if not names or (registry is not None and registry.base_registry_signaling_sequence is None):
        return
    drawn = _draw(state.name, names)
    for sequence in drawn:
        table.SIGNALS_SENT.count('cache' if sequence == 'base_cache_signaling' else 'registry')
    _logger.info("database %s: signaled %s", state.name,
                 ', '.join('%s %s' % pair for pair in sorted(drawn.items())))
    for sequence, value in drawn.items() if registry is not None else ():
        attribute = '%s_sequence' % sequence
        setattr(registry, attribute, adopted(getattr(registry, attribute), value))


def _draw(name, sequences):
    from openerp import sql_db
    try:
        # a transaction of its own: a step that was only taken, a crash of PostgreSQL could take back
        with connections.single_statements(sql_db.db_connect(name)) as cursor:
            cursor.execute("SELECT %s" % ', '.join("nextval('%s')" % sequence for sequence in sequences))
            return dict(zip(sequences, cursor.fetchone()))
    except Exception:
        _owed[name] = sorted(set(_owed.get(name, ())) | set(sequences))
        raise


def after_commit(name):
    """A cursor was committed, or a caller says so. A thread without boundaries tells its changes now.

    It stays marked as changed until its last cursor is closed: a later commit tells them again.
    """
    current = request.current()
    if not current.bounded:
        state = current.database(name)
        if state.cleared or state.models_changed:
            with request.bounded(lambda ended: None):
                _send_unbounded(state)


def _send_unbounded(state):
    _send(state)
    registry = _manager().registries.get(state.name)
    if registry is not None:
        with request.current().database(state.name).quietly():
            local_state.drop(registry)


def after_close(name):
    """A cursor was closed. With its last one a thread without boundaries has nothing pending any more."""
    current = request.current()
    if not current.bounded:
        state = current.database(name)
        if state.open_cursors <= 0:
            state.reset()


def _manager():
    return sys.modules['openerp.modules.registry'].RegistryManager
