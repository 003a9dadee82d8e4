# -*- coding: utf-8 -*-
"""Installing what demo, tests and benchmarks need: lists of steps, each done once.

A step has a name, a sentence for the operator, a digest of its inputs and an action. It is
skipped when its stamp carries the same digest, so a second run takes a second.
"""
import collections
import concurrent.futures
import fcntl
import os

from . import account, environments, golden, packages, paths, progress, python27, stamps
from .problem import Problem

# What everything needs; what a browser test and a benchmark need besides.
SERVICE_PACKAGES = ['ca-certificates', 'gcc', 'iproute2', 'libc6-dev', 'libfaketime', 'nginx-light',
                    'openssl', 'postgresql', 'procps', 'python3-pip', 'python3-venv', 'redis-server',
                    'systemd']
BROWSER_PACKAGES = ['chromium', 'chromium-driver']
BENCHMARK_PACKAGES = ['wrk']

Step = collections.namedtuple('Step', 'name what digest action')


def foundation(parts):
    """What everything else stands on."""
    wanted = SERVICE_PACKAGES + (BENCHMARK_PACKAGES if 'benchmark' in parts else [])
    yield Step('account', "account %s" % account.NAME, None, account.create)
    yield _packages('debian', wanted)
    yield Step('python27', "Python 2.7", python27.find, python27.install)


def python27_lane(parts, openerp):
    """The virtualenv in which OpenERP and oe-cluster-launch run, and the databases."""
    files, python = environments.requirements, paths.python27('python')
    yield Step('py27', "virtualenv for Python 2.7", stamps.digest(environments.VIRTUALENV),
               lambda: environments.make_python27(python27.find()))
    yield Step('py27-ours', "Python 2.7 packages: ours", stamps.digest(*files('py27.txt')),
               lambda: environments.install_requirements(python, 'py27.txt'))
    yield Step('py27-theirs', "Python 2.7 packages: OpenERP's third-party ones",
               stamps.digest(*files('openerp7.txt')),
               lambda: environments.install_requirements(python, 'openerp7.txt'))
    yield from _ourselves('py27', python)
    if 'openerp' in parts:
        yield Step('openerp', "OpenERP 7.0.406 and its modules",
                   stamps.digest(*files('openerp7-addons.txt')),
                   lambda: environments.install_requirements(python, 'openerp7-addons.txt'))
        yield Step('golden', "databases with modules and demo data",
                   lambda: os.path.isdir(golden.folder(openerp)), lambda: golden.make(openerp))


def python3_lane(parts):
    """The virtualenv of the tools that lint, test and drive from outside, and the browser."""
    python = paths.python3('python')
    yield Step('py3', "virtualenv for Python 3", stamps.digest(environments.SYSTEM_PYTHON3),
               environments.make_python3)
    yield Step('py3-ours', "Python 3 packages", stamps.digest(*environments.requirements('py3.txt')),
               lambda: environments.install_requirements(python, 'py3.txt'))
    if 'benchmark' in parts:
        yield Step('py3-benchmark', "Python 3 packages: plots",
                   stamps.digest(*environments.requirements('benchmark.txt')),
                   lambda: environments.install_requirements(python, 'benchmark.txt'))
    yield from _ourselves('py3', python)
    if 'browser' in parts:
        yield _packages('browser', BROWSER_PACKAGES)


def install(parts, openerp=None):
    """Do the steps that are not done; `parts` is a set of 'openerp', 'browser', 'benchmark'.

    After the foundation the two lanes run at the same time. One installation at a time per
    state folder.
    """
    paths.create_state_folder()
    if paths.announcement():
        progress.say(paths.announcement())
    if not os.path.exists('/usr/bin/apt-get'):
        raise Problem("This installs Debian packages and there is no apt-get here: use Debian 12.")
    with open(paths.state('install.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _do(foundation(parts))
        with concurrent.futures.ThreadPoolExecutor(1) as second:
            beside = second.submit(_do, python3_lane(parts))
            # Services that die with their thread are started here: this stays the main thread.
            _do(python27_lane(parts, openerp))
            beside.result()


#: A virtualenv that is made anew has lost what was installed into it.
LOST_WITH = {'py27': ('py27-ours', 'py27-theirs', 'openerp', 'oe-cluster-launch-py27'),
             'py3': ('py3-ours', 'py3-benchmark', 'oe-cluster-launch-py3')}


def _do(steps):
    for step in steps:
        if _is_done(step):
            continue
        for name in (step.name,) + LOST_WITH.get(step.name, ()):
            stamps.undo(name)
        if step.digest is None:
            step.action()
            continue
        with progress.step(step.what):
            step.action()
        if not callable(step.digest):
            stamps.done(step.name, step.digest)


def _is_done(step):
    if step.digest is None:
        return False
    if callable(step.digest):
        return step.digest()
    if step.name in LOST_WITH and not os.path.exists(paths.state(step.name, 'bin', 'python')):
        return False
    return stamps.is_done(step.name, step.digest)


def _packages(name, wanted):
    missing = packages.missing(wanted)
    text = ', '.join(missing)
    return Step(name, "Debian packages: %s" % (text if len(text) <= 37 else text[:34] + '...'),
                lambda: not missing, lambda: packages.install(missing))


def _ourselves(name, python):
    if os.path.exists(os.path.join(paths.CHECKOUT, 'setup.py')):
        yield Step('oe-cluster-launch-' + name, "oe-cluster-launch into %s" % name,
                   environments.our_digest(), lambda: environments.install_ourselves(python))
