# -*- coding: utf-8 -*-
"""One cron agent without OpenERP, as a process of its own: `candidate_process.py FILE.json`.

Its workers do the smallest possible job over and over: ask whether they may
start, and append (node, term, moment) to a file. That file is the witness;
while there is a file of that name and `.cut-NODE`, the node has no PostgreSQL.
"""
import json
import logging
import os
import sys

from oe_cluster_launch.cluster.membership import Membership
from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron.agent import Agent
from oe_cluster_launch.cron.crew import Crew
from oe_cluster_launch.cron.lease import Lease, timeout_seconds
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store.connection import Store
from oe_cluster_launch.store.subscription import Subscription


def witness_job(path, node, seconds, newest_known=0):
    """A `run_jobs` that leaves a line in the file at `path` every time it may start."""
    def run_jobs(shift):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        while not shift.over:
            shift.polling()
            if os.path.exists('%s.cut-%s' % (path, node)):
                shift.no_database()
                shift.wait(seconds)
                continue
            if shift.term <= newest_known:
                shift.saw(newest_known)  # as a database would
            elif shift.may_start():
                shift.working()
                line = json.dumps([node, shift.term, monotonic(), os.getpid()])
                os.write(descriptor, line.encode('ascii') + b'\n')
            shift.idle()
            shift.wait(seconds)
    return run_jobs


def main(path):
    with open(path) as source:
        wanted = json.load(source)
    logging.basicConfig(level=logging.DEBUG, format='%(asctime)s %(process)d %(name)s %(message)s')
    settings = load_settings().replace(**wanted['settings'])
    settings = settings.replace(redis_sentinels=tuple(tuple(pair) for pair in settings.redis_sentinels))
    node, token = wanted['node'], wanted['token']
    store = Store(settings)
    quick = Store(settings, timeout_seconds(settings))
    crew = Crew(witness_job(wanted['witness'], node, wanted['job_interval_seconds'],
                            wanted['newest_known']), wanted['workers'],
                after_fork=store.close)
    bell = Subscription(quick, quick.keys.cron_bell)
    Agent(settings, node, Lease(quick, settings, node, token), crew, bell,
          Membership(quick, settings, node, token, wanted['profile'])).run()


if __name__ == '__main__':
    main(sys.argv[1])
