# -*- coding: utf-8 -*-
"""Clocks that agree: this machine's with Redis', PostgreSQL's and the other nodes'.

Nothing that must be exact is decided by a node's own clock; but OpenERP
compares due times of jobs with it, OpenID providers check it, and logs of two
nodes can only be read together when it is right.
"""
import time

from oe_cluster_launch.check.result import fail, ok, warn

#: seconds apart from which on logs and due times become misleading, and log-in by OpenID fails
WARN_SECONDS, FAIL_SECONDS = 1.0, 60.0
#: a report that was under way for long looks like a clock that is behind: look at so many
REPORTS, LONGEST_PAUSE_SECONDS = 3, 4.0
_REMEDY = "Let chrony or systemd-timesyncd keep the time on every machine: timedatectl set-ntp true"


def redis(context):
    """This machine against Redis."""
    def ask():
        seconds, microseconds = context.store().client().time()
        return seconds + microseconds / 1e6
    return _judge("Redis", *measure(ask, context.now))


def postgresql(context):
    """This machine against PostgreSQL."""
    connection = context.connect()
    try:
        cursor = connection.cursor()

        def ask():
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            return float(cursor.fetchone()[0])
        return _judge("PostgreSQL", *measure(ask, context.now))
    finally:
        connection.close()


def nodes(context):
    """The other nodes against Redis, as each told when it last reported."""
    nearest = {}
    for attempt in range(REPORTS):
        if attempt:
            time.sleep(min(context.settings.cron_renew_interval, LONGEST_PAUSE_SECONDS))
        for member in context.others(again=attempt > 0):
            if 'clock_skew_seconds' in member:
                known = nearest.get(member['node'])
                nearest[member['node']] = min(known or member['clock_skew_seconds'],
                                              member['clock_skew_seconds'], key=abs)
        results = [_judge("Redis, on node %s" % name, nearest[name], 0.0) for name in sorted(nearest)]
        wrong = [result for result in results if result.status != 'ok']
        if not wrong:
            break
    return wrong or [ok("right on %s" % ', '.join(sorted(nearest)) if nearest else
                        "no other node runs to compare with")]


def measure(ask, now, attempts=3):
    """(how far our clock is ahead, half the round trip), of the quickest of some attempts."""
    found = []
    for _ in range(attempts):
        before = now()
        theirs = ask()
        after = now()
        found.append(((after - before) / 2, (before + after) / 2 - theirs))
    uncertainty, ahead = min(found)
    return ahead, uncertainty


def _judge(whose, ahead, uncertainty):
    apart = max(0.0, abs(ahead) - uncertainty)
    sentence = "%.1f s %s the clock of %s" % (abs(ahead), "ahead of" if ahead > 0 else "behind", whose)
    if apart >= FAIL_SECONDS:
        return fail(sentence, _REMEDY)
    if apart >= WARN_SECONDS:
        return warn(sentence, _REMEDY)
    return ok("agrees with the clock of %s to %.0f ms" % (whose, (abs(ahead) + uncertainty) * 1000))
