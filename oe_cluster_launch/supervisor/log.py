# -*- coding: utf-8 -*-
"""Log lines: OpenERP's format, or one JSON object a line; gunicorn's and the keeper's alike.

OpenERP sets up its handlers, with all its options, and does so twice: once
early, once in start_internal. `use_format` runs after both and changes only
the formatter. A WatchedFileHandler finds a rotated file by itself, so
logrotate needs neither a signal nor copytruncate. No access log unless
`access_log` asks for it: nginx writes one.
"""
import json
import logging
import logging.handlers
import os
import threading
import time

from gunicorn.glogging import Logger

from oe_cluster_launch import current_request

#: OpenERP's own
TEXT_FORMAT = '%(asctime)s %(pid)s %(levelname)s %(dbname)s %(name)s: %(message)s'


class TextFormatter(logging.Formatter):
    """OpenERP's format, for the process that has no OpenERP."""

    def format(self, record):
        record.pid = os.getpid()
        record.dbname = '?'
        return logging.Formatter.format(self, record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, pid, node, logger, message, and what is known of

    db, uid, request_id and traceback. Time is UTC, ISO 8601, with milliseconds.
    """

    def __init__(self, node_name):
        logging.Formatter.__init__(self)
        self.node_name = node_name

    def format(self, record):
        thread = threading.current_thread()
        request = current_request.current()
        line = {
            'time': time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))
                    + '.%03dZ' % record.msecs,
            'level': record.levelname, 'pid': os.getpid(), 'node': self.node_name,
            'logger': record.name, 'message': _message(record),
            'db': getattr(thread, 'dbname', None), 'uid': getattr(thread, 'uid', None),
            'request_id': request.id if request else None,
        }
        if record.exc_info:
            line['traceback'] = self.formatException(record.exc_info)
        line.update(getattr(record, 'fields', {}))
        line = dict((name, value) for name, value in line.items() if value is not None)
        return json.dumps(line, sort_keys=True, default=repr)


def _message(record):
    """The message; addons log bytes of any encoding, and json would refuse them."""
    message = record.getMessage()
    return message.decode('utf-8', 'replace') if isinstance(message, bytes) else message


def use_format(settings, node_name):
    """Give every handler the format of `log_format`. In the master, after OpenERP's init_logger."""
    if settings.log_format == 'json':
        for handler in _handlers():
            handler.setFormatter(JsonFormatter(node_name))


def _handlers():
    loggers = [logging.getLogger()] + list(logging.Logger.manager.loggerDict.values())
    return set(handler for logger in loggers for handler in getattr(logger, 'handlers', ()))


def start_keeper_log():
    """To standard error, until a master has read OpenERP's options."""
    handler = logging.StreamHandler()
    handler.setFormatter(TextFormatter(TEXT_FORMAT))
    logging.getLogger().handlers = [handler]
    logging.getLogger().setLevel(logging.INFO)


def continue_keeper_log(node_name, logfile, log_format):
    """Where and how the masters log. In the keeper."""
    root = logging.getLogger()
    if logfile and getattr(root.handlers[0], 'baseFilename', None) != os.path.abspath(logfile):
        try:
            root.handlers = [logging.handlers.WatchedFileHandler(logfile)]
        except (IOError, OSError) as error:
            logging.getLogger(__name__).error("the keeper cannot write %s: %s", logfile, error)
    root.handlers[0].setFormatter(JsonFormatter(node_name) if log_format == 'json'
                                  else TextFormatter(TEXT_FORMAT))


class SupervisorLog(Logger):
    """gunicorn's lines through the node's own logging. Handed to it as `logger_class`."""

    def __init__(self, cfg):
        self.error_log = logging.getLogger('oe_cluster_launch.supervisor')
        self.access_log = logging.getLogger('oe_cluster_launch.supervisor.access')
        self.error_handlers = []
        self.access_handlers = []
        self.logfile = None
        self.cfg = cfg

    def info(self, msg, *args, **kwargs):
        """What gunicorn finds worth saying we say ourselves, with more in it."""
        self.error_log.debug(msg, *args, **kwargs)

    def setup(self, cfg):
        """Levels and handlers are OpenERP's."""

    def access(self, resp, req, environ, request_time):
        """Written by exchange.py, when asked for; statsd.py counts here."""

    def reopen_files(self):
        """OpenERP's WatchedFileHandler notices a rotated file by itself."""

    def close_on_exec(self):
        """Handlers belong to OpenERP's logging."""
