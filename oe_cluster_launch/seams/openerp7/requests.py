# -*- coding: utf-8 -*-
"""What only OpenERP knows about a request: database, user, model and method; and restart_server.

All RPC, from XML-RPC and from the web client's controllers, goes through
dispatch_rpc, so it is named there; and there running out of memory is taken
out of OpenERP's hands, which would go on in a process that has none left.
"""
import logging
import os
import signal

from oe_cluster_launch import current_request
from oe_cluster_launch.cluster import broadcast
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.seams.seam import BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Function

_logger = logging.getLogger(__name__)

#: RPC services whose parameters are (database, uid, password, ...)
_OF_A_USER = ('object', 'report', 'workflow', 'wizard')


def name_of(service, method, params):
    """{database, uid, model, call} of an RPC call, as far as its parameters tell."""
    params = list(params)
    if service == 'object' and len(params) > 4 and method != 'exec_workflow':
        return {'database': params[0], 'uid': params[1], 'model': params[3], 'call': params[4]}
    if service in _OF_A_USER and len(params) > 1:
        return {'database': params[0], 'uid': params[1], 'model': service,
                'call': '.'.join([method] + [str(word) for word in params[3:5]
                                             if isinstance(word, type(''))])}
    database = params[0] if service == 'common' and params else None
    return {'database': database, 'model': service, 'call': method}


def named_dispatch(original, context):
    """dispatch_rpc that says what it does, and never survives a lack of memory."""
    def dispatch_rpc(service_name, method, params):
        request = current_request.current()
        if request is None:
            return original(service_name, method, params)
        request.name_call(**name_of(service_name, method, params))
        try:
            return original(service_name, method, params)
        except MemoryError:
            raise current_request.OutOfMemory()
    return dispatch_rpc


def cluster_reload(original, context):
    """restart_server: a rolling reload of every node. Returns at once; nothing is interrupted."""
    def restart_server():
        _logger.info("OpenERP asks for a restart: every node reloads")
        try:
            broadcast.tell(context.store, broadcast.RELOAD, context.name)
        except RedisUnavailable as error:
            _logger.error("only this node reloads, the others could not be told: %s", error)
            os.kill(context.keeper_pid, signal.SIGHUP)
    return restart_server


def formatted_logs(original, context):
    """init_logger, which start_internal calls a second time, with its handlers in our format."""
    def init_logger():
        original()
        context.use_log_format()
    return init_logger


SEAMS = [
    Seam('log format', 'openerp.netsvc', 'init_logger', Function(), formatted_logs,
         "log_format = json would end when OpenERP sets up its handlers again",
         phase=BEFORE_ADDONS),
    Seam('request name', 'openerp.netsvc', 'dispatch_rpc',
         Function('service_name', 'method', 'params'), named_dispatch,
         "a limit could not say which model and method it ended, and OpenERP would go on "
         "without memory"),
    Seam('restart', 'openerp.service', 'restart_server', Function(), cluster_reload,
         "installing an addon from the web client raises NotImplementedError (fault 15)"),
]
