# -*- coding: utf-8 -*-
"""Debian packages: install what is missing, and start or change no service of the machine.

A freshly installed redis-server, nginx or PostgreSQL would start a service and take its usual
port. So while our apt-get runs a policy-rc.d forbids starting anything, services that came with
it are disabled, and PostgreSQL is told to create no cluster. The policy and PostgreSQL's setting
are put back afterwards. A program that is there is used as it is, whichever package it came from:
another flavour would replace the machine's own.
"""
import contextlib
import glob
import os
import shlex
import subprocess
import sys

from . import paths
from .problem import Problem

POLICY = '/usr/sbin/policy-rc.d'
CLUSTER_CONFIGURATION = '/etc/postgresql-common/createcluster.conf'
PROGRAMS = {'nginx-light': '/usr/sbin/nginx', 'redis-server': '/usr/bin/redis-server',
            'postgresql': '/usr/lib/postgresql/*/bin/initdb'}
SERVICES = {'redis-server': 'redis-server', 'nginx-light': 'nginx'}

NETWORK_SIGNS = ('Could not resolve', 'Temporary failure', 'Could not connect', 'Unable to connect',
                 'Failed to fetch', 'Network is unreachable')


def missing(names):
    """Those of `names` that are neither installed nor there from elsewhere."""
    names = [name for name in names if not glob.glob(PROGRAMS.get(name, ''))]
    listed = subprocess.run(['dpkg-query', '-W', '-f', '${Package} ${db:Status-Abbrev}\n'],
                            stdout=subprocess.PIPE, universal_newlines=True).stdout
    installed = {line.split()[0] for line in listed.splitlines() if line.split()[1:] == ['ii']}
    return [name for name in names if name not in installed]


def install(names):
    """Install `names`; Problem with the remedy when that is impossible."""
    names = missing(names)
    if not names:
        return
    update()
    with _no_service_starts():
        if 'postgresql' in names:
            apt_get('install', 'postgresql-common')
        with _no_postgresql_cluster():
            apt_get('install', *names)
    for name in names:
        if name in SERVICES and os.path.exists('/usr/bin/systemctl'):
            as_root(['systemctl', 'disable', '--quiet', SERVICES[name]], may_fail=True)


def update():
    """Fetch the package lists, once per run."""
    if not update.done:
        apt_get('update')
        update.done = True


update.done = False


def candidate(name):
    """Whether apt could install the package `name` from the sources that it has."""
    policy = subprocess.run(['apt-cache', 'policy', name], stdout=subprocess.PIPE,
                            universal_newlines=True, env=dict(os.environ, LC_ALL='C')).stdout
    return 'Candidate:' in policy and 'Candidate: (none)' not in policy


def apt_get(command, *names):
    """apt-get without questions; its words go to the log, one sentence to the operator."""
    log = paths.state('log', 'apt.log')
    options = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Options::=--force-confold',
               '-o', 'Dpkg::Options::=--force-confdef', '-o', 'Acquire::Retries=3',
               '-o', 'APT::Update::Error-Mode=any']
    if command == 'install':
        options += ['--yes', '--no-install-recommends']
    code, printed = as_root(['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', command]
                            + options + list(names), may_fail=True)
    with open(log, 'a') as stream:
        stream.write("$ apt-get %s %s\n%s\n" % (command, ' '.join(names), printed))
    if code and any(sign in printed for sign in NETWORK_SIGNS):
        raise Problem("apt-get cannot reach the package mirror: check the network, then run this "
                      "again (details: %s)." % log)
    if code:
        raise Problem("apt-get %s failed, see %s. Remedy it, or run this as root by hand, then run "
                      "this again: apt-get %s %s" % (command, log, command, ' '.join(names)))


def as_root(command, may_fail=False, text=None):
    """Run `command` as root, through sudo when need be; return its exit code and its words."""
    if os.getuid():
        if not any(os.path.exists(path) for path in ('/usr/bin/sudo', '/bin/sudo')):
            raise Problem("This needs root and there is no sudo. Run as root: %s"
                          % ' '.join(map(shlex.quote, command)))
        command = ['sudo'] + ([] if sys.stdin.isatty() else ['-n']) + command
    process = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=None if text else subprocess.DEVNULL, universal_newlines=True)
    if 'sudo: a password is required' in process.stdout:
        raise Problem("sudo wants a password and there is no terminal to ask for it. Run as root: "
                      "%s" % ' '.join(map(shlex.quote, command[2:])))
    if process.returncode and not may_fail:
        raise Problem("%s failed: %s" % (' '.join(command), process.stdout.strip()))
    return process.returncode, process.stdout


def write_as_root(path, text, mode='644'):
    """Write a system file."""
    as_root(['mkdir', '-p', os.path.dirname(path)])
    as_root(['tee', path], text=text)
    as_root(['chmod', mode, path])


@contextlib.contextmanager
def _no_service_starts():
    if os.path.exists(POLICY):  # the machine has its own policy: leave it in force
        yield
        return
    write_as_root(POLICY, '#!/bin/sh\n# oe-cluster-launch, while it installs\nexit 101\n', '755')
    try:
        yield
    finally:
        as_root(['rm', '-f', POLICY])


@contextlib.contextmanager
def _no_postgresql_cluster():
    if not os.path.exists(CLUSTER_CONFIGURATION):
        yield
        return
    with open(CLUSTER_CONFIGURATION) as stream:
        before = stream.read()
    write_as_root(CLUSTER_CONFIGURATION, before + '\ncreate_main_cluster = false\n')
    try:
        yield
    finally:
        write_as_root(CLUSTER_CONFIGURATION, before)
