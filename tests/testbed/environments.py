# -*- coding: utf-8 -*-
"""The two virtualenvs: Python 2.7 with OpenERP 7.0, Python 3 with what lints and drives it."""
import os
import shutil
import subprocess
import sys

from . import paths, stamps
from .problem import Problem

# The last virtualenv that can make environments for Python 2.7.
VIRTUALENV = 'virtualenv==20.21.1'
# By its full name, such as python3.11: another version means another virtualenv.
SYSTEM_PYTHON3 = os.path.realpath(
    '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else sys.executable)

# What `pip install .` reads; a change in any of them installs the package anew.
OUR_SOURCES = ('setup.py', 'setup.cfg', 'MANIFEST.in', 'README.md', 'CHANGES.md', 'LICENSE',
               'oe_cluster_launch', 'conf', 'systemd')


def requirements(*names):
    """The paths of requirement files."""
    return [os.path.join(paths.CHECKOUT, 'requirements', name) for name in names]


def make_python3():
    """Create the Python 3 virtualenv anew."""
    shutil.rmtree(paths.state('py3'), ignore_errors=True)
    _run([SYSTEM_PYTHON3, '-m', 'venv', paths.state('py3')], "A Python 3 virtualenv was not made")


def make_python27(interpreter):
    """Create the Python 2.7 virtualenv anew, with a virtualenv that is kept apart."""
    shutil.rmtree(paths.state('py27'), ignore_errors=True)
    if not os.path.exists(paths.state('virtualenv', 'bin', 'virtualenv')):
        shutil.rmtree(paths.state('virtualenv'), ignore_errors=True)
        _run([SYSTEM_PYTHON3, '-m', 'venv', paths.state('virtualenv')],
             "A Python 3 virtualenv was not made")
        _pip(paths.state('virtualenv', 'bin', 'python'), 'install', VIRTUALENV)
    _run([paths.state('virtualenv', 'bin', 'virtualenv'), '--quiet', '--python', interpreter,
          paths.state('py27')], "A Python 2.7 virtualenv was not made")


def install_requirements(python, *names):
    """Install requirement files; those for Python 2.7 are complete, so nothing is resolved."""
    command = ['install']
    if python == paths.python27('python'):
        command += ['--no-deps']
    for path in requirements(*names):
        command += ['-r', path]
    _pip(python, *command)


def our_digest():
    """A hash of the sources of oe-cluster-launch."""
    return stamps.digest(*[os.path.join(paths.CHECKOUT, name) for name in OUR_SOURCES])


def install_ourselves(python):
    """Install oe-cluster-launch from a copy of its sources: pip would copy the state folder too."""
    source = paths.state('source-%s' % os.path.basename(os.path.dirname(os.path.dirname(python))))
    shutil.rmtree(source, ignore_errors=True)
    os.makedirs(source)
    for name in OUR_SOURCES:
        path = os.path.join(paths.CHECKOUT, name)
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(source, name),
                            ignore=shutil.ignore_patterns('*.pyc', '__pycache__'))
        elif os.path.exists(path):
            shutil.copy(path, source)
    _pip(python, 'install', '--no-deps', '--no-build-isolation', '--force-reinstall', source)
    shutil.rmtree(source)


def _pip(python, *arguments):
    command = [python, '-m', 'pip', '--disable-pip-version-check', '--no-input']
    _run(command + list(arguments), "pip failed")


def _run(command, complaint):
    """Run `command`; its words go to the log, one sentence to the operator."""
    log = paths.state('log', 'pip.log')
    environment = dict(os.environ, PYTHONWARNINGS='ignore', PYTHONDONTWRITEBYTECODE='')
    environment.pop('PYTHONPATH', None)
    process = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, universal_newlines=True, cwd='/',
                             env=environment)
    with open(log, 'a') as stream:
        stream.write("$ %s\n%s\n" % (' '.join(command), process.stdout))
    if process.returncode:
        network = any(sign in process.stdout for sign in (
            'Temporary failure', 'NewConnectionError', 'Name or service not known', 'ProxyError',
            'ConnectTimeout', 'Network is unreachable'))
        raise Problem("%s (%s). Remedy it, then run this again." % (
            complaint, "the package index cannot be reached: check the network" if network
            else "see %s" % log))
