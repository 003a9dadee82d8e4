# -*- coding: utf-8 -*-
"""Benchmarks that are scripts of their own: cron's failover, and what one RPC costs inside a worker.

Each writes JSON; here it becomes series of the run.
"""
import json
import os

from testbed import paths

HERE = os.path.dirname(os.path.abspath(__file__))


def failover(lab):
    """Fifty rounds of each way to end the leader; many clusters at once, since it is mostly waiting."""
    if lab.quick:
        lab.run.remark('failover', "Left out of the quick run.")
        return
    told = _told(lab, lab.python3, 'failover.py', '--rounds', 50, '--clusters', 20)
    for kind, found in told['kinds'].items():
        lab.run.new('failover', kind, 's', higher_is_better=False, baseline=None,
                    samples={'ours': found['seconds']})
        lab.run.remark('failover', "Promised after %s: %g s." % (kind, found['promised']))
    lab.run.remark('failover', "Lease of %g s, %s." % (
        told['ttl_seconds'], "whole nodes" if told['whole_nodes'] else "cron agents without OpenERP"))


def rpc_cost(lab):
    """Ours against stock in two processes."""
    if lab.quick or not os.path.exists(os.path.join(HERE, 'rpc_cost.py')):
        lab.run.remark('rpc cost', "Left out of this run.")
        return
    told = _told(lab, lab.script27, 'rpc_cost.py', '--rounds', 9)
    for row in told['rpc_cost']:
        lab.run.new('rpc cost', row['what'], 'us', higher_is_better=False,
                    samples={'stock': [row['stock_us']], 'ours': [row['ours_us']]})


def _told(lab, runner, name, *arguments):
    path = os.path.join(lab.folder, name + '.json')
    code, printed = runner(os.path.join(HERE, name), *(arguments + ('--json', path)))
    if not os.path.exists(path):
        raise RuntimeError("%s ended with code %d: %s" % (os.path.relpath(name, paths.CHECKOUT), code,
                                                          printed.strip()[-800:]))
    with open(path) as stream:
        return json.load(stream)
