# -*- coding: utf-8 -*-
"""`oe-cluster-launch switchover`: the leader of cron hands over, to a given node or to any other."""
import sys
import time

from oe_cluster_launch.cluster.membership import members
from oe_cluster_launch.compat import monotonic
from oe_cluster_launch.cron.control import SWITCHOVER_SECONDS, Control
from oe_cluster_launch.errors import EXIT_FAILURE, EXIT_OK, UsageError
from oe_cluster_launch.store import Store

NAME = 'switchover'
HELP = "let another node lead cron"


def add_arguments(parser):
    parser.add_argument('--to', metavar='NODE', default='', help="default: any other candidate")


def run(arguments, settings):
    """Exit code 0 when another node leads, 1 when none took over."""
    store = Store(settings)
    control = Control(store)
    leader, term = control.leader()
    refuse_the_impossible(leader, arguments.to, members(store), control.paused())
    if arguments.to == leader:
        sys.stdout.write("%s leads already, term %d.\n" % (leader, term))
        return EXIT_OK
    asked_at = monotonic()
    control.ask_for_switchover(leader, arguments.to)
    while monotonic() - asked_at < SWITCHOVER_SECONDS:
        new, new_term = control.leader()
        if new and new_term > term and new != leader:
            sys.stdout.write("%s leads now, term %d; it took %.1f s.\n"
                             % (new, new_term, monotonic() - asked_at))
            return EXIT_OK
        time.sleep(0.05)
    control.withdraw_switchover()
    sys.stdout.write("No other node took over within %d s; see `oe-cluster-launch list`.\n"
                     % SWITCHOVER_SECONDS)
    return EXIT_FAILURE


def refuse_the_impossible(leader, target, found, paused):
    """:raises UsageError: there is nothing to hand over, or nobody to hand it to"""
    if paused:
        raise UsageError("Cron is paused by %s: resume it first." % paused['by'])
    if not leader:
        raise UsageError("Nobody leads cron, so nobody can hand it over; see `oe-cluster-launch list`.")
    candidates = sorted(member['node'] for member in found
                        if member.get('role') == 'candidate' and member['state'] == 'running')
    if target and target not in candidates + [leader]:
        raise UsageError("%s is no candidate. Candidates: %s." % (target, ', '.join(candidates) or 'none'))
    if not candidates:
        raise UsageError("There is no other candidate than %s." % leader)
