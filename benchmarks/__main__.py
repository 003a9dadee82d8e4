# -*- coding: utf-8 -*-
"""`python -m benchmarks run` and `python -m benchmarks compare`, called by the Makefile.

QUICK=1 measures less, in about three minutes, and writes into the state folder, so that the
committed results stay. PARTS=boot,sessions measures some parts only, likewise.
"""
import json
import os
import signal
import subprocess
import sys
import time
import traceback

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [CHECKOUT, os.path.join(CHECKOUT, 'tests')]

from testbed import account, paths, progress  # noqa: E402
from testbed.problem import Problem  # noqa: E402

from benchmarks import boot, ormcache, requests_per_second, scaling, scripts, sessions  # noqa: E402
from benchmarks.suite import compare, machine, tables  # noqa: E402
from benchmarks.suite.lab import Lab  # noqa: E402
from benchmarks.suite.run import Run  # noqa: E402

RESULTS = os.path.join('docs', 'benchmarks')
#: (name, function, most seconds it may take); the whole is kept below BUDGET_SECONDS
PARTS = (
    ('requests', requests_per_second.run, 600),
    ('workers', requests_per_second.other_counts, 120),
    ('sessions', sessions.run, 180),
    ('ormcache', ormcache.run, 180),
    ('boot', boot.run, 240),
    ('scaling', scaling.run, 180),
    ('rpc cost', scripts.rpc_cost, 120),
    ('failover', scripts.failover, 300),
)
BUDGET_SECONDS = 19 * 60
QUICK_BUDGET_SECONDS = 170


class OutOfTime(BaseException):
    """A part took longer than it may; no handler of a failed measurement may swallow that."""


def run():
    """Measure, write JSON, Markdown and plots. A part that fails is named and the next one begins."""
    quick = bool(os.environ.get('QUICK'))
    wanted = [name for name in os.environ.get('PARTS', '').split(',') if name]
    found = Run(quick, machine.describe())
    lab = Lab(found)
    folder = os.path.join(CHECKOUT, RESULTS) if not (quick or wanted) else _state_folder('partial')
    os.makedirs(folder, exist_ok=True)
    budget = QUICK_BUDGET_SECONDS if quick else BUDGET_SECONDS
    try:
        for name, measure, most in PARTS:
            if not wanted or name in wanted:
                _part(lab, name, measure, min(most, budget - lab.seconds_gone()))
                found.save(os.path.join(_state_folder(), 'results.json'))
    finally:
        lab.close()
    write(found, folder)
    progress.say('\n%s\n\n%s\n\nThe whole: %s' % (tables.machine(found), tables.verdicts(found),
                                                os.path.join(folder, 'results.md')))


def _part(lab, name, measure, most):
    """One part within its time."""
    if most < 5:
        lab.run.remark(name, "Not measured: the time was up.")
        return
    progress.say("== %s" % name)
    began = time.monotonic()
    signal.alarm(int(most))
    try:
        measure(lab)
    except (Exception, OutOfTime) as error:
        lab.run.remark(name, "Incomplete: %s: %s" % (type(error).__name__, str(error).strip()[:300]))
        traceback.print_exc()
    finally:
        signal.alarm(0)
        lab.clear()
        lab.run.seconds[name] = round(time.monotonic() - began, 1)


def _out_of_time(_signal, _frame):
    raise OutOfTime("it took too long")


def write(found, folder):
    """results.json, results.md and the plots."""
    from benchmarks.suite import plots
    found.save(os.path.join(folder, 'results.json'))
    drawn = plots.draw(found, folder)
    with open(os.path.join(folder, 'results.md'), 'w') as stream:
        stream.write(tables.page(found, drawn))


def _state_folder(*parts):
    return account.folder(paths.state('benchmarks', *parts))


def compare_runs():
    """The newest run against the committed one."""
    committed = subprocess.run(['git', 'show', 'HEAD:%s/results.json' % RESULTS], cwd=CHECKOUT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if committed.returncode:
        raise Problem("There is no committed run: `make bench`, then commit %s." % RESULTS)
    newest = paths.state('benchmarks', 'results.json')
    if not os.path.exists(newest):
        raise Problem("There is no run to compare: `make bench` or `QUICK=1 make bench` first.")
    progress.say(compare.table(Run.from_json(json.loads(committed.stdout.decode())), Run.load(newest)))


def main(arguments):
    """Run one command; a Problem is one sentence and exit code 1."""
    commands = {'run': run, 'compare': compare_runs}
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.exit("usage: python -m benchmarks %s" % '|'.join(sorted(commands)))
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))  # all that was started ends too
    try:
        commands[arguments[0]]()
    except Problem as problem:
        sys.exit("\n%s" % problem)
    except KeyboardInterrupt:
        sys.exit(130)


main(sys.argv[1:])
