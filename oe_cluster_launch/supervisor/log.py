# -*- coding: utf-8 -*-
"""gunicorn's log lines through the node's own logging, in OpenERP's format.

gunicorn would open handlers of its own; here it finds two loggers that
propagate to those OpenERP has set up. No access log: nginx writes it.
"""
import logging

from gunicorn.glogging import Logger


class SupervisorLog(Logger):
    """Handed to gunicorn as `logger_class`; used in the master and in workers."""

    def __init__(self, cfg):
        self.error_log = logging.getLogger('oe_cluster_launch.supervisor')
        self.access_log = logging.getLogger('oe_cluster_launch.supervisor.access')
        self.error_handlers = []
        self.access_handlers = []
        self.logfile = None
        self.cfg = cfg

    def setup(self, cfg):
        """Levels and handlers are OpenERP's."""

    def access(self, resp, req, environ, request_time):
        """nginx writes the access log."""

    def reopen_files(self):
        """OpenERP's WatchedFileHandler notices a rotated file by itself."""

    def close_on_exec(self):
        """Handlers belong to OpenERP's logging."""
