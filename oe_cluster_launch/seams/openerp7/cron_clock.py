# -*- coding: utf-8 -*-
"""Due times are compared with one clock, PostgreSQL's.

OpenERP lists due jobs by PostgreSQL's clock and then compares each due time
with its own: a node that is an hour behind would lead and run nothing for an
hour, one that is ahead would skip the due times of an hour. So while a job is
processed, OpenERP's `ir_cron` is told the moment at which PostgreSQL found the
job due. The job's own code sees the node's clock, as ever.
"""
import contextlib
import datetime
import threading

from oe_cluster_launch.seams.seam import Seam
from oe_cluster_launch.seams.shape import Class

_now = threading.local()


@contextlib.contextmanager
def at(seconds):
    """Within this thread `ir_cron` believes that it is so many seconds after 1970, UTC."""
    _now.moment = datetime.datetime.utcfromtimestamp(seconds)
    try:
        yield
    finally:
        _now.moment = None


def postgres_datetime(original, context):
    """The subclass of datetime that `ir_cron` uses instead."""

    class PostgresDatetime(original):

        @classmethod
        def now(cls, tz=None):
            moment = getattr(_now, 'moment', None)
            return original.now(tz) if moment is None or tz is not None else moment

    return PostgresDatetime


SEAMS = [
    Seam('cron clock', 'openerp.addons.base.ir.ir_cron', 'datetime', Class(), postgres_datetime,
         "a node whose clock is wrong would lead and run no job, or skip due times"),
]
