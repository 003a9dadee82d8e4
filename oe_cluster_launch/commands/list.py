# -*- coding: utf-8 -*-
"""`oe-cluster-launch list`: the nodes of the cluster, who leads cron, what differs."""
import sys
import time

from oe_cluster_launch.cluster import listing
from oe_cluster_launch.cluster.membership import members
from oe_cluster_launch.compat import native
from oe_cluster_launch.cron.control import Control
from oe_cluster_launch.errors import EXIT_FAILURE, EXIT_OK, RedisUnavailable
from oe_cluster_launch.store import Store

NAME = 'list'
HELP = "the nodes of the cluster, who leads cron, what differs"


def add_arguments(parser):
    parser.add_argument('-f', '--format', choices=('table', 'json', 'tsv'), default='table')
    parser.add_argument('-W', '--watch', nargs='?', type=float, const=2.0, metavar='SECONDS',
                        help="again every so often (2 s), until Ctrl-C")


def run(arguments, settings):
    """Exit code 1 when there is no node at all."""
    store = Store(settings)
    if not arguments.watch:
        found = members(store)
        _show(render(arguments.format, settings.redis_prefix, found, Control(store)))
        return EXIT_OK if found else EXIT_FAILURE
    try:
        while True:
            _show(_text_now(arguments, settings, store), clear=sys.stdout.isatty())
            time.sleep(arguments.watch)
    except KeyboardInterrupt:
        return EXIT_OK


def _text_now(arguments, settings, store):
    """Who watches a failover of Redis wants to go on watching."""
    try:
        return render(arguments.format, settings.redis_prefix, members(store), Control(store))
    except RedisUnavailable as error:
        return str(error)


def _show(text, clear=False):
    sys.stdout.write(('\033[H\033[2J' if clear else '') + native(text) + '\n')
    sys.stdout.flush()


def render(form, prefix, found, control):
    """The whole answer as text."""
    leader, term = control.leader()
    paused = control.paused()
    if form == 'json':
        return listing.as_json({'leader': leader, 'term': term, 'paused': paused, 'members': found})
    rows = listing.member_rows(found)
    if form == 'tsv':
        return listing.tsv(listing.MEMBER_COLUMNS, rows)
    who = "%s leads cron, term %d" % (leader, term) if leader else "nobody leads cron"
    title = "cluster %s: %s" % (prefix, who)
    text = listing.boxed(title, listing.MEMBER_COLUMNS, rows)
    return text + ("\n%s" % pause_sentence(paused) if paused else '')


def pause_sentence(paused):
    """Who paused cron, since when, why, and what ends it."""
    since = time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(paused['at']))
    reason = " (%s)" % paused['reason'] if paused.get('reason') else ''
    return "Cron is paused by %s since %s%s; `oe-cluster-launch resume` ends it." % (
        paused['by'], since, reason)
