# -*- coding: utf-8 -*-
"""Finding a Python 2.7 that can build packages and that the account may run, or installing one.

Debian 12 has none. Debian 11's installs beside it, from a source pinned so low that apt takes
nothing else from there.
"""
import glob
import os
import subprocess

from . import account, packages
from .problem import Problem

SOURCE = '/etc/apt/sources.list.d/oe-cluster-launch-bullseye.sources'
PREFERENCE = '/etc/apt/preferences.d/oe-cluster-launch-bullseye'
KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
PACKAGES = ['python2.7', 'python2.7-dev']

# What OpenERP and pip cannot do without, and the headers to build packages with.
PROBE = ("import ssl, zlib, bz2, sqlite3, os, sysconfig; assert os.path.exists("
         "os.path.join(sysconfig.get_config_var('INCLUDEPY'), 'Python.h'))")


def find():
    """The path of a Python 2.7 that will do, or None."""
    for path in _candidates():
        if os.access(path, os.X_OK) and _will_do(path):
            return path
    return None


def install():
    """Install Python 2.7 from Debian packages; Problem with the remedy when there is none."""
    packages.update()
    if not packages.candidate('python2.7-dev'):
        _add_bullseye()
    try:
        packages.install(PACKAGES)
    except Problem as problem:
        raise Problem("There is no usable Python 2.7 and none could be installed: %s" % problem)
    if not find():
        raise Problem(REMEDY)


REMEDY = ("There is no usable Python 2.7: install one with its headers where every user may run "
          "it, for example /usr/local/bin/python2.7, then run this again.")


def _candidates():
    yield '/usr/bin/python2.7'
    yield '/usr/local/bin/python2.7'
    for folder in os.environ.get('PATH', '').split(':'):
        yield os.path.join(folder, 'python2.7')
    for path in sorted(glob.glob(os.path.expanduser('~/.pyenv/versions/2.7*/bin/python2.7'))):
        yield path


def _will_do(path):
    """Whether the account can run it: one under a closed home folder cannot be used."""
    try:
        return account.run([path, '-c', PROBE], '/')[0] == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _add_bullseye():
    """Let apt see Debian 11's packages, at the mirror that this machine uses for its own."""
    mirror = _debian_mirror()
    if not mirror:
        raise Problem(REMEDY)
    packages.write_as_root(SOURCE, (
        "# Python 2.7 for OpenERP 7.0; written by oe-cluster-launch\n"
        "Types: deb\nURIs: %s\nSuites: bullseye\nComponents: main\nSigned-By: %s\n"
        % (mirror, KEYRING)))
    packages.write_as_root(PREFERENCE, (
        "# nothing from Debian 11 but what is asked for by name and exists nowhere else\n"
        "Package: *\nPin: release n=bullseye\nPin-Priority: 100\n"))
    try:
        packages.apt_get('update')
    except Problem as problem:
        packages.as_root(['rm', '-f', SOURCE, PREFERENCE])
        raise Problem("Debian 11's packages, which have Python 2.7, cannot be had from %s: %s %s"
                      % (mirror, problem, REMEDY))


def _debian_mirror():
    listed = subprocess.run(
        ['apt-get', 'indextargets', '--format', '$(SITE)|$(ORIGIN)|$(CODENAME)',
         'Created-By: Packages'], stdout=subprocess.PIPE, universal_newlines=True).stdout
    for line in listed.splitlines():
        site, origin, codename = line.split('|')
        if origin == 'Debian' and '-' not in codename:
            return site
    return None
