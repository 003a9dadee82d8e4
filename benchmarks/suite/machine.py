# -*- coding: utf-8 -*-
"""The machine and the versions a run was made with."""
import glob
import os
import platform
import re
import subprocess

from testbed import nginx, paths, postgres, redis_server

PYTHON27 = ("import gunicorn, redis, psycopg2, werkzeug, openerp.release as r, platform; print('|'.join(["
            "platform.python_version(), r.version, gunicorn.__version__, redis.__version__, "
            "psycopg2.__version__.split()[0], werkzeug.__version__]))")


def describe():
    """{what: text}, in the order in which it is shown."""
    found = {'processors': '%d × %s' % (os.cpu_count(), _cpu()), 'memory': _memory(),
             'system': '%s, Linux %s' % (_distribution(), platform.release().split('-')[0])}
    python, openerp, gunicorn, redis_py, psycopg2, werkzeug = _said(
        [paths.python27('python'), '-c', PYTHON27]).splitlines()[-1].split('|')
    found['OpenERP'] = '%s on Python %s, Werkzeug %s, psycopg2 %s' % (openerp, python, werkzeug, psycopg2)
    found['oe-cluster-launch'] = '%s, gunicorn %s, redis-py %s' % (_commit(), gunicorn, redis_py)
    for name, command in (('PostgreSQL', [postgres.binary('postgres'), '--version']),
                          ('Redis', [redis_server.BINARY, '--version']), ('nginx', [nginx.BINARY, '-v']),
                          ('wrk', ['wrk', '-v'])):
        version = re.search(r'\d+\.\d+(\.\d+)?', _said(command))
        found[name] = version.group(0) if version else 'unknown'
    return found


def _said(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                          cwd=paths.CHECKOUT).stdout


def _first_match(path, pattern, otherwise):
    try:
        with open(path) as stream:
            found = re.search(pattern, stream.read(), re.MULTILINE)
    except OSError:
        return otherwise
    return found.group(1).strip() if found else otherwise


def _cpu():
    return _first_match('/proc/cpuinfo', r'^model name\s*:\s*(.*)$', platform.machine())


def _memory():
    return '%.0f GB' % (int(_first_match('/proc/meminfo', r'^MemTotal:\s*(\d+)', '0')) / 1048576.0)


def _distribution():
    for path in glob.glob('/etc/os-release'):
        return _first_match(path, r'^PRETTY_NAME="?([^"\n]*)', 'Linux')
    return 'Linux'


def _commit():
    said = _said(['git', 'describe', '--always', '--dirty', '--abbrev=12']).strip()
    return 'commit ' + said if re.match(r'^[\w.-]+$', said) else 'no commit'
