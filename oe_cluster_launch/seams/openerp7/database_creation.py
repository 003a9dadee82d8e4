# -*- coding: utf-8 -*-
"""The creation of a database, whose progress every worker of every node can tell (fault 19).

OpenERP creates in a thread of one worker and answers get_progress from that
worker's memory. Here the creation is a job of the spool. The answer holds the
new users' passwords, as in OpenERP; in Redis it is sealed.
"""
import threading

from oe_cluster_launch.seams.seam import AFTER_ADDONS, Seam
from oe_cluster_launch.seams.shape import Function
from oe_cluster_launch.spool import DONE, FAILED, LOST, PENDING, Spool

#: how long the outcome can be asked for
TTL_SECONDS = 3600
#: OpenERP's clients take 1.0 for the end
MOST_PROGRESS = 0.95
UNKNOWN = "No database is being created under the number %s, or its creation ended over an hour ago."
NODE_DIED = "Node %s ended while it created the database. Please drop the database and create it again."


def spool_of(context):
    """The spool of creations; each worker opens its own connection at its first."""
    return Spool(context.store, context.sealing, context.name, TTL_SECONDS)


def create(original, context):
    """Create the empty database now, fill it in a thread, answer with the number to ask with."""
    spool, keys = spool_of(context), context.store.keys

    def exp_create(self, db_name, demo, lang, user_password='admin'):
        job = spool.open(keys.progress)  # first: when Redis is away, nothing is created
        self._create_empty_database(db_name)
        # A worker that is told to leave waits for its threads (http_worker.py), but not for ever.
        thread = threading.Thread(target=_fill, name='create %s' % db_name,
                                  args=(self, job, db_name, demo, lang, user_password))
        thread.daemon = True
        thread.start()
        return job.id
    return exp_create


def _fill(service, job, *what):
    """The thread: OpenERP's own work, its progress told at each beat."""
    from openerp.service import web_services
    status = service.actions[job.id] = {'clean': False}
    try:
        with job.at_work(lambda: status.get('progress', 0.0)):
            web_services._initialize_db(service, job.id, *what)
            if status['clean']:
                job.end(DONE, status['users'])
            else:
                job.end(FAILED, status.get('traceback', ''))
    finally:
        service.actions.pop(job.id, None)


def progress(original, context):
    """Whatever worker and node is asked."""
    spool, keys = spool_of(context), context.store.keys

    def exp_get_progress(self, id):
        seen = spool.look(keys.progress(id))
        if seen is None:
            raise Exception(UNKNOWN % id)
        if seen.state == LOST:
            raise Exception(NODE_DIED % seen.node)
        if seen.state == FAILED:
            raise Exception(seen.value)
        if seen.state == PENDING:
            return min(seen.value or 0.0, MOST_PROGRESS), []
        return 1.0, seen.value
    return exp_get_progress


_DB = 'openerp.service.web_services'

SEAMS = [
    Seam('create database', _DB, 'db.exp_create',
         Function('self', 'db_name', 'demo', 'lang', 'user_password'), create,
         "its progress would be known to one worker only", phase=AFTER_ADDONS),
    Seam('creation progress', _DB, 'db.exp_get_progress', Function('self', 'id'), progress,
         "any other worker would answer with an error", phase=AFTER_ADDONS),
]
