# -*- coding: utf-8 -*-
"""Installing what demo, tests and benchmarks need: a list of steps, each done once.

A step has a name, a sentence for the operator, a digest of its inputs and an action. It is
skipped when its stamp carries the same digest, so a second run takes a second.
"""
import collections
import fcntl
import os
import sys

from . import account, environments, golden, packages, paths, progress, python27, stamps
from .problem import Problem

# What everything needs; what a browser test and a benchmark need besides.
SERVICE_PACKAGES = ['ca-certificates', 'gcc', 'libc6-dev', 'nginx-light', 'openssl', 'postgresql',
                    'procps', 'python3-pip', 'python3-venv', 'redis-server']
BROWSER_PACKAGES = ['chromium', 'chromium-driver']
BENCHMARK_PACKAGES = ['wrk']

Step = collections.namedtuple('Step', 'name what digest action')


def steps(parts, openerp=None):
    """The steps for `parts`, a set of 'openerp', 'browser' and 'benchmark', in order."""
    wanted = SERVICE_PACKAGES + (BROWSER_PACKAGES if 'browser' in parts else []) + (
        BENCHMARK_PACKAGES if 'benchmark' in parts else [])
    files = environments.requirements
    py27, py3 = paths.python27('python'), paths.python3('python')

    yield Step('account', "account %s" % account.NAME, None, account.create)
    yield Step('debian', "Debian packages: %s" % _shortened(packages.missing(wanted)),
               lambda: not packages.missing(wanted), lambda: packages.install(wanted))
    yield Step('python27', "Python 2.7", python27.find, python27.install)
    yield Step('py27', "virtualenv for Python 2.7", _digest(environments.VIRTUALENV),
               lambda: environments.make_python27(python27.find()))
    yield Step('py27-ours', "Python 2.7 packages: ours", _digest(*files('py27.txt')),
               lambda: environments.install_requirements(py27, 'py27.txt'))
    yield Step('py27-theirs', "Python 2.7 packages: OpenERP's third-party ones",
               _digest(*files('openerp7.txt')),
               lambda: environments.install_requirements(py27, 'openerp7.txt'))
    yield Step('py3', "virtualenv for Python 3", _digest(environments.SYSTEM_PYTHON3),
               environments.make_python3)
    yield Step('py3-ours', "Python 3 packages", _digest(*files('py3.txt')),
               lambda: environments.install_requirements(py3, 'py3.txt'))
    if 'openerp' in parts:
        yield Step('openerp', "OpenERP 7.0.406 and its modules",
                   _digest(*files('openerp7-addons.txt')),
                   lambda: environments.install_requirements(py27, 'openerp7-addons.txt'))
        yield Step('golden', "databases with modules and demo data (once)",
                   lambda: os.path.isdir(golden.folder(openerp)), lambda: golden.make(openerp))
    if os.path.exists(os.path.join(paths.CHECKOUT, 'setup.py')):
        for name, python in (('py27', py27), ('py3', py3)):
            yield Step('oe-cluster-launch-' + name, "oe-cluster-launch into %s" % name,
                       environments.our_digest(),
                       lambda python=python: environments.install_ourselves(python))


#: A virtualenv that is made anew has lost what was installed into it.
LOST_WITH = {'py27': ('py27-ours', 'py27-theirs', 'openerp', 'oe-cluster-launch-py27'),
             'py3': ('py3-ours', 'oe-cluster-launch-py3')}


def install(parts, openerp=None):
    """Do the steps that are not done. One installation at a time per state folder."""
    paths.create_state_folder()
    if paths.announcement():
        progress.say(paths.announcement())
    if not os.path.exists('/usr/bin/apt-get'):
        raise Problem("This installs Debian packages and there is no apt-get here: use Debian 12.")
    with open(paths.state('install.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for step in steps(parts, openerp):
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


def _digest(*inputs):
    return stamps.digest(sys.version.split('.')[0], *inputs)


def _shortened(names):
    text = ', '.join(names)
    return text if len(text) <= 40 else text[:37] + '...'
