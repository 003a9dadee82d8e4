# -*- coding: utf-8 -*-
"""Cron agents as processes that a test may kill and stop, and the witness they leave."""
import collections
import json
import os
import sys

from testbed import account
from testbed.service import Service
from testbed.waiting import wait_until

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'candidate_process.py')
#: a fifth of the shipped times, so that a test does not last a minute
TIMES = dict(cron_lease_ttl=2.0, cron_lease_margin=0.5, cron_renew_interval=0.5, cron_stop_timeout=0.3,
             redis_timeout=0.3, member_ttl=3.0)
TTL = TIMES['cron_lease_ttl']

#: one execution of the witness job; `at` is the machine's monotonic clock
Line = collections.namedtuple('Line', 'node term at pid')


class Candidate(Service):
    """One agent with its workers."""

    def __init__(self, folder, node, witness, token=None, workers=2, profile=None, newest_known=0,
                 **settings):
        super(Candidate, self).__init__(node, folder)
        self.node = node
        self.token = token or 'token-%s-%d' % (node, id(self))
        self.wanted = dict(node=node, token=self.token, witness=witness, workers=workers,
                           job_interval_seconds=0.02, newest_known=newest_known,
                           profile=profile or {}, settings=dict(TIMES, **settings))

    def configure(self):
        path = os.path.join(self.folder, 'candidate.json')
        with open(path, 'w') as stream:
            json.dump(self.wanted, stream)
        account.give(path)

    def command(self):
        return [sys.executable, SCRIPT, os.path.join(self.folder, 'candidate.json')]

    def is_ready(self):
        """Whether its first cycle is over; one that dies before is a fault that shows its log."""
        return 'cron.agent' in self.log()


class Witness(object):
    """What the workers of all candidates wrote."""

    def __init__(self, path):
        self.path = path
        with open(path, 'w'):
            os.chmod(path, 0o666)

    def lines(self):
        with open(self.path) as source:
            return [Line(*json.loads(line)) for line in source if line.endswith('\n')]

    def last(self):
        lines = self.lines()
        return lines[-1] if lines else Line(None, 0, 0.0, 0)

    def wait_for(self, condition, timeout_seconds, what):
        """Wait until `condition(last line)`; returns that line."""
        wait_until(lambda: condition(self.last()), timeout_seconds, what)
        return self.last()

    def first_of_term(self, term):
        return next(line for line in self.lines() if line.term == term)

    def faults(self, forgotten_seconds=0.0):
        """Every way in which the lines break the promise of one leader with growing terms.

        `forgotten_seconds`: after a Redis that lost the lease, which promises nothing until the
        old lease has run out: a leader works on until its next renewal while another has begun.
        There the fence in PostgreSQL keeps the jobs apart (tests/seams/test_cron.py).
        """
        lines = sorted(self.lines(), key=lambda line: line.at)
        found = [] if lines else ["the witness saw nothing"]
        leaders = collections.defaultdict(set)
        newest, since = 0, 0.0
        for line in lines:
            leaders[line.term].add(line.node)
            if line.term > newest:
                since = line.at
            if line.term < newest and line.at >= since + forgotten_seconds:
                found.append("term %d of %s ran after term %d" % (line.term, line.node, newest))
            newest = max(newest, line.term)
        return found + ["term %d had %s" % (term, sorted(nodes))
                        for term, nodes in leaders.items() if len(nodes) > 1]
