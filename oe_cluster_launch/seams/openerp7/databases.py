# -*- coding: utf-8 -*-
"""The database service on several nodes: duplicate, rename, drop and restore while all are busy.

PostgreSQL does none of these while somebody is connected, and OpenERP closes
only its own process's connections (fault 18). Here the connections of all
processes are ended while the statement runs, and what Redis keeps of a
database ends with it. What other processes remember of it, identity.py
makes out of date.
"""
import logging

from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.seams.openerp7 import identity, sessions
from oe_cluster_launch.seams.openerp7.eviction import everybody_out
from oe_cluster_launch.seams.seam import AFTER_ADDONS, Seam
from oe_cluster_launch.seams.shape import Function
from oe_cluster_launch.sessions.index import SessionIndex

REFUSED = ("The password is not changed. It stands in a file of each node, so changing it here would change "
           "it for one worker only. Change admin_passwd in the [options] of node.conf on every node, then "
           "reload each node.")

_logger = logging.getLogger(__name__)


class Traces(object):
    """What is kept of databases in Redis."""

    def __init__(self, context):
        self._context = context
        self._store = context.store

    def wipe(self, database, last_identity=None):
        """The database is gone: end its sessions, forget its reports. Never raises."""
        try:
            if self._context.settings.shared_sessions:
                self._end_sessions(database)
            if last_identity:
                client = self._store.client()
                for key in client.scan_iter(match=self._store.keys.report_pattern(last_identity), count=500):
                    client.delete(key)
        except RedisUnavailable as error:
            _logger.warning("database %s: its sessions and reports end by their time to live: %s",
                            database, error)

    def _end_sessions(self, database):
        store = sessions.make_store(self._store, self._context.sealing, self._context.settings)
        ended = SessionIndex(self._store, store).end_found(database=database)
        if ended:
            _logger.info("database %s is gone: %d sessions ended", database, ended)


def drop(original, context):
    traces = Traces(context)

    def exp_drop(self, db_name):
        before = _identity(db_name)
        with everybody_out(db_name, grace_seconds=0):
            done = original(self, db_name)
        if done:
            identity.forget(db_name)
            traces.wipe(db_name, before)
        return done
    return exp_drop


def rename(original, context):
    traces = Traces(context)

    def exp_rename(self, old_name, new_name):
        before = _identity(old_name)
        traces.wipe(new_name)
        with everybody_out(old_name):
            done = original(self, old_name, new_name)
        identity.forget(old_name)
        traces.wipe(old_name, before)
        return done
    return exp_rename


def duplicate(original, context):
    traces = Traces(context)

    def exp_duplicate_database(self, db_original_name, db_name):
        traces.wipe(db_name)
        with everybody_out(db_original_name):
            return original(self, db_original_name, db_name)
    return exp_duplicate_database


def create_empty(original, context):
    """A name that was used before and dropped by other means has no past."""
    traces = Traces(context)

    def _create_empty_database(self, name):
        original(self, name)
        identity.forget(name)
        traces.wipe(name)
    return _create_empty_database


def change_admin_password(original, context):
    """Refused, with the remedy: stock would change one process and one node's file (fault 2)."""
    def exp_change_admin_password(self, new_password):
        from openerp.exceptions import Warning as ShownToUser
        raise ShownToUser(REFUSED)
    return exp_change_admin_password


def change_admin_password_page(original, context):
    """The web client's page, which would answer `Error, password not changed !` and nothing else."""
    def change_password(self, req, fields):
        answer = original(self, req, fields)
        if isinstance(answer, dict) and not answer.get('error', 'AccessDenied').startswith('AccessDenied'):
            answer['error'] = REFUSED
        return answer
    change_password.exposed = original.exposed
    return change_password


def _identity(database):
    """The identity of a database that is about to go; None when it cannot be reached."""
    import psycopg2
    try:
        return identity.of(database)
    except psycopg2.Error:
        return None


_DB = 'openerp.service.web_services'

SEAMS = [
    Seam('drop database', _DB, 'db.exp_drop', Function('self', 'db_name'), drop,
         "workers that connect again would keep it from being dropped, and its sessions would live on"),
    Seam('rename database', _DB, 'db.exp_rename', Function('self', 'old_name', 'new_name'), rename,
         "it would fail while any other worker or node has a connection"),
    Seam('duplicate database', _DB, 'db.exp_duplicate_database',
         Function('self', 'db_original_name', 'db_name'), duplicate,
         "it would fail while any other worker or node has a connection"),
    Seam('create empty database', _DB, 'db._create_empty_database', Function('self', 'name'), create_empty,
         "sessions of an earlier database of that name would be signed in at the new one"),
    Seam('admin password', _DB, 'db.exp_change_admin_password', Function('self', 'new_password'),
         change_admin_password, "one worker would know another password than all others",
         phase=AFTER_ADDONS),
    Seam('admin password page', 'openerp.addons.web.controllers.main', 'Database.change_password',
         Function('self', 'req', 'fields'), change_admin_password_page,
         "the web client would say that the password is not changed, and not what to do",
         optional=True),
]
