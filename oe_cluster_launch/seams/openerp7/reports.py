# -*- coding: utf-8 -*-
"""Reports that one worker renders and any worker of any node delivers.

OpenERP numbers reports from 1 in each process and keeps them there, so that a
poll that reaches another worker finds none, or somebody else's (fault 3). Here
they are jobs of the spool, under random ids bound to database and user. The
thread that renders has no request: what it changes is signaled at its commits.
"""
import base64
import logging
import sys
import threading
import traceback
import zlib

from oe_cluster_launch.compat import text_type, to_bytes
from oe_cluster_launch.errors import LaunchError
from oe_cluster_launch.seams.openerp7 import identity
from oe_cluster_launch.seams.seam import BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Function
from oe_cluster_launch.spool import DONE, FAILED, LOST, PENDING, TIMEOUT_SECONDS, Spool

NOT_FOUND = ("ReportNotFound: there is no report %s for you here. It was delivered, is older than "
             "report_ttl, or is another user's.")
NODE_DIED = "Node %s ended while it rendered the report. Please print it again."
EMPTY = "The report %s came out empty: nothing to print, or its template is missing."
TOO_LARGE = ("The report has %d bytes, more than report_limit allows. Print fewer records at once, "
             "or raise report_limit in [cluster].")

_logger = logging.getLogger(__name__)


class ReportFailed(Exception):
    """A report that cannot be delivered: a title and a text, as OpenERP shows them."""

    def __init__(self, title, text=''):
        super(ReportFailed, self).__init__(title)
        self.title, self.text = title, text


def spool_of(context):
    """The spool of reports; each worker opens its own connection at its first report."""
    settings = context.settings
    store = context.store.sibling(max(TIMEOUT_SECONDS, settings.redis_timeout))
    return Spool(store, context.sealing, context.name, settings.report_ttl, settings.report_limit)


def report(original, context):
    """Begin to render in a thread, and answer with the id to poll with."""
    spool, keys = spool_of(context), context.store.keys

    def exp_report(self, db, uid, object, ids, datas=None, context=None):
        whose = identity.of(db), uid
        job = spool.open(lambda job_id: keys.report(whose[0], whose[1], job_id))
        # A worker that is told to leave waits for its threads (http_worker.py), but not for ever.
        thread = threading.Thread(target=_work, name='report %d' % job.id,
                                  args=(spool, job, db, uid, object, ids, datas, context))
        thread.dbname, thread.uid = db, uid
        thread.daemon = True
        thread.start()
        return job.id
    return exp_report


def report_get(original, context):
    """Whatever worker and node is asked: the report, its error, or `not yet`."""
    spool, keys = spool_of(context), context.store.keys

    def exp_report_get(self, db, uid, report_id):
        seen = spool.look(keys.report(identity.of(db), uid, report_id))
        if seen is None:
            raise Exception(NOT_FOUND % report_id)
        if seen.state == PENDING:
            return {'state': False}
        if seen.state == LOST:
            raise _for_clients(ReportFailed(NODE_DIED % seen.node))
        if seen.state == FAILED:
            raise _for_clients(ReportFailed(*seen.value))
        return _answer(*seen.value)
    return exp_report_get


def render_report(original, context):
    """Render and deliver in one request."""
    def exp_render_report(self, db, uid, object, ids, datas=None, context=None):
        try:
            return _answer(*_render(db, uid, object, ids, datas, context))
        except ReportFailed as failed:
            raise _for_clients(failed)
    return exp_render_report


def _work(spool, job, db, uid, name, ids, datas, context):
    """The thread: render, then write the result, or why there is none."""
    try:
        with job.at_work():
            try:
                result = _render(db, uid, name, ids, datas, context)
                if not spool.fits(len(result[0])):
                    raise ReportFailed(TOO_LARGE % len(result[0]))
                state, value = DONE, result
            except ReportFailed as failed:
                state, value = FAILED, (failed.title, failed.text)
            job.end(state, value)
    except LaunchError:
        _logger.exception("report %d cannot be delivered", job.id)


def _render(db, uid, name, ids, datas, context):
    """(bytes, format) of a report.

    :raises ReportFailed: whatever went wrong, in words that can cross to another process
    """
    from openerp import netsvc, pooler, tools
    cursor = pooler.get_db(db).cursor()
    try:
        service = netsvc.LocalService('report.' + name)
        result, kind = service.create(cursor, uid, ids, datas or {}, context or {})
        cursor.commit()
    except Exception as error:
        _logger.exception("report %s of database %s failed", name, db)
        if hasattr(error, 'name') and hasattr(error, 'value'):
            raise ReportFailed(tools.ustr(error.name), tools.ustr(error.value))
        raise ReportFailed(tools.exception_to_unicode(error),
                           tools.ustr(''.join(traceback.format_exception(*sys.exc_info()))))
    finally:
        cursor.close()
    if not result:
        raise ReportFailed(EMPTY % name)
    # some report engines answer with text that stands for bytes
    return result.encode('latin-1', 'replace') if isinstance(result, text_type) else to_bytes(result), kind


def _answer(result, kind):
    """What clients of report_get expect of a finished report."""
    from openerp import tools
    answer = {'state': True, 'format': kind}
    if tools.config['reportgz']:
        result = zlib.compress(result)
        answer['code'] = 'zlib'
    answer['result'] = base64.encodestring(result)
    return answer


def _for_clients(failed):
    """The exception that OpenERP's protocols show to a user as a warning."""
    from openerp.osv.osv import except_osv
    return except_osv(failed.title, failed.text)


_SERVICE = 'openerp.service.web_services'
_REPORT = ('self', 'db', 'uid', 'object', 'ids', 'datas', 'context')

SEAMS = [
    Seam('report', _SERVICE, 'report_spool.exp_report', Function(*_REPORT), report,
         "a report would be known to the worker alone that renders it", phase=BEFORE_ADDONS,
         setting='shared_reports'),
    Seam('report get', _SERVICE, 'report_spool.exp_report_get',
         Function('self', 'db', 'uid', 'report_id'), report_get,
         "a poll that reaches another worker would find no report, or somebody else's",
         phase=BEFORE_ADDONS, setting='shared_reports'),
    Seam('report render', _SERVICE, 'report_spool.exp_render_report', Function(*_REPORT), render_report,
         "it would leave an entry in the worker's own spool", phase=BEFORE_ADDONS,
         setting='shared_reports'),
]
