# -*- coding: utf-8 -*-
"""Sessions: open and close, round trips, bytes; a million of them."""
import os

from testbed import session
from testbed.redis_server import RedisServer

from benchmarks.inside import report

PART = 'sessions'


def run(lab):
    """All of it, in processes of Python 2.7 with OpenERP's web client."""
    folder = session.fresh_folder('sessions')
    lab.run.remark(PART, "Each call is a whole session_context of a signed-in user's request. "
                         "Stock's files lie on %s." % _file_system(folder))
    for crowd in (0, 50000 if lab.quick else 1000000):
        _inside(lab, crowd)


def _inside(lab, crowd):
    redis = RedisServer(session.fresh_folder('redis')).start()
    try:
        _code, printed = lab.python27(
            'benchmarks.inside.sessions', redis.socket_path, session.fresh_folder('sessions'),
            5 if lab.quick else 15, 100 if lab.quick else 300, crowd)
    finally:
        redis.kill_all()
    for name, unit, samples in report.read(printed):
        lab.run.new(PART, name, unit, higher_is_better=False, samples=samples,
                    baseline='stock' if 'stock' in samples else None)


def _file_system(folder):
    best = ('', 'an unknown file system')
    with open('/proc/mounts') as mounts:
        for line in mounts:
            _device, point, kind = line.split()[:3]
            if os.path.commonpath([point, folder]) == point and len(point) >= len(best[0]):
                best = (point, kind)
    return best[1]
