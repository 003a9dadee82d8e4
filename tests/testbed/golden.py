# -*- coding: utf-8 -*-
"""The golden PostgreSQL data folder: databases with modules installed, made once, copied often.

`tpl_base` has the web client, `tpl_full` has sale, crm, purchase, hr and all that they pull in;
both have demo data and the user admin with password admin. They are made by the stock
openerp-server. Nobody can connect to them (CREATE DATABASE ... TEMPLATE wants the source to have
no visitors), and they belong to the superuser, so that no OpenERP lists them or runs their crons.
"""
import glob
import hashlib
import os
import re
import shutil

from . import account, node, paths, postgres
from .problem import Problem

BASE = ['base', 'web', 'auth_openid']
FULL = ['sale', 'crm', 'purchase', 'hr', 'sale_crm', 'sale_stock', 'portal', 'portal_sale',
        'share', 'auth_signup', 'fetchmail', 'note', 'contacts', 'document', 'document_webdav',
        'report_webkit']
MODULES = {'tpl_base': BASE, 'tpl_full': FULL}


def folder(openerp=None):
    """Where the golden data folder is for this set of requirements; it may not exist yet."""
    digest = hashlib.sha1(repr((sorted(MODULES.items()), postgres.version(), openerp)).encode())
    for name in ('openerp7.txt', 'openerp7-addons.txt'):
        with open(os.path.join(paths.CHECKOUT, 'requirements', name), 'rb') as stream:
            digest.update(stream.read())
    return paths.state('golden', digest.hexdigest()[:10])


def data(openerp=None):
    """The golden data folder, which installation has made."""
    path = os.path.join(folder(openerp), 'data')
    if not os.path.isdir(path):
        raise Problem("The databases for the tests are not made yet: run `make install`.")
    return path


def make(openerp=None):
    """Make the golden data folder where it is missing (about a minute); return its path."""
    final = folder(openerp)
    if os.path.isdir(final):
        return final
    _check_checkout(openerp)
    unfinished = final + '.new'
    for leftover in glob.glob(paths.state('golden', '*.new')):
        shutil.rmtree(leftover)
    with postgres.Postgres(unfinished) as server:
        server.start()
        server.create_role()
        _install(server, 'tpl_base', 'template0', BASE, openerp)
        _install(server, 'tpl_full', 'tpl_base', FULL, openerp)
        for name in sorted(MODULES):
            server.query("ALTER DATABASE %s OWNER TO %s" % (name, postgres.SUPERUSER))
            server.query("ALTER DATABASE %s IS_TEMPLATE true ALLOW_CONNECTIONS false" % name)
        server.stop()
    os.rename(unfinished, final)
    return final


def _install(server, database, template, modules, openerp):
    """Create `database` from `template` and let the stock server install `modules` into it."""
    server.create_database(database, template)
    log = paths.state('log', 'install-%s.log' % database)
    environment = node.checkout_environment(openerp) if openerp else {}
    command = node.server_command(openerp) + [
        '-d', database, '-i', ','.join(modules), '--stop-after-init', '--db_host', server.host,
        '--db_port', str(server.port), '--db_user', server.role, '--no-xmlrpc', '--no-netrpc',
        '--max-cron-threads=0']
    if openerp:
        command += ['--addons-path', node.checkout_addons_path(openerp)]
    open(log, 'w').close()
    code, printed = account.run(command, account.folder(server.folder), log, **environment)
    if code or re.search(r' (ERROR|CRITICAL) |^Traceback', printed, re.MULTILINE):
        raise Problem("OpenERP failed to install modules into %s: see %s." % (database, log))
    wanted = "SELECT name FROM ir_module_module WHERE state = 'installed'"
    missing = set(modules) - set(row[0] for row in server.query(wanted, database))
    if missing:
        raise Problem("OpenERP did not install %s into %s: see %s."
                      % (', '.join(sorted(missing)), database, log))


def _check_checkout(openerp):
    if openerp and not os.path.isfile(os.path.join(openerp, 'openerp-server')):
        raise Problem("OPENERP=%s is not an OpenERP 7.0 checkout: it has no file openerp-server."
                      % openerp)
