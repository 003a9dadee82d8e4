# -*- coding: utf-8 -*-
"""The judge of what the witness saw: pure functions over its rows.

What must hold whatever breaks: no execution of a job overlaps another of the
same job, none completes twice for one due time, terms only grow and have one
node each, and every due time is served in time.
"""
import collections

#: one execution; times in seconds of PostgreSQL's clock, `ended` None when it was killed or rolled back
Execution = collections.namedtuple('Execution', 'id job node term due backend started ended')
#: a due time, and when it was set
Promise = collections.namedtuple('Promise', 'job due made')


def faults(executions):
    """Every way in which executions, in the order of their start, break the promises.

    No executions at all are a fault too.
    """
    found = [] if executions else ["the witness saw nothing"]
    newest = 0
    for execution in executions:
        if execution.term < newest:
            found.append("term went back: %s after term %d" % (execution, newest))
        newest = max(newest, execution.term)
    leaders = collections.defaultdict(set)
    for execution in executions:
        leaders[execution.term].add(execution.node)
    found += ["term %d had %s" % (term, sorted(nodes))
              for term, nodes in leaders.items() if len(nodes) > 1]
    for job in sorted(set(execution.job for execution in executions)):
        found += _faults_of_job([each for each in executions if each.job == job])
    return found


def _faults_of_job(executions):
    """Overlaps, and due times that were served twice, among completed executions of one job.

    One that never completed has left nothing but its row: its transaction was rolled back.
    """
    complete = [execution for execution in executions if execution.ended is not None]
    latest = None
    for execution in complete:
        if latest and execution.started < latest.ended:
            yield "overlap: %s and %s" % (latest, execution)
        latest = max([each for each in (latest, execution) if each], key=lambda each: each.ended)
    served = collections.Counter(execution.due for execution in complete)
    for due, times in sorted(served.items()):
        if times > 1:
            yield "due time served %d times: %s" % (
                times, [execution for execution in complete if execution.due == due])


def delays(promises, executions):
    """[(promise, seconds)]: from setting a due time to the start of the execution that completed it.

    None instead of seconds where none has.
    """
    served = {}
    for execution in executions:
        if execution.ended is not None:
            served.setdefault((execution.job, execution.due), execution.started)
    found = []
    for promise in promises:
        started = served.get((promise.job, promise.due))
        found.append((promise, None if started is None else max(0.0, started - promise.made)))
    return found


def missed(promises, executions, now, allowed_seconds):
    """Due times that were not served within so many seconds."""
    for promise, seconds in delays(promises, executions):
        if seconds is None and now - promise.made > allowed_seconds:
            yield "missed: %s, not served after %.1f s" % (promise, now - promise.made)
        elif seconds is not None and seconds > allowed_seconds:
            yield "late: %s, served after %.1f s" % (promise, seconds)
