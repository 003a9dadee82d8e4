# -*- coding: utf-8 -*-
"""-i, -u, tests and translations: once, under one lock per database, with an honest exit code.

OpenERP keeps -i/-u in the process's configuration and applies it at every
registry load, so that each new worker would upgrade again, at the same time
(fault 11). Here the master does the work before it forks, while it holds the
update lock, and then forgets it. What another node did meanwhile is not done twice.
"""
import logging

from oe_cluster_launch.errors import HostFailure, UsageError
from oe_cluster_launch.seams.openerp7 import postgres, update_lock
from oe_cluster_launch.seams.openerp7.finished_updates import FinishedUpdates

ONCE = ('init', 'update')

_logger = logging.getLogger(__name__)


def one_off_work(host, store):
    """See Host.one_off_work."""
    config = host.config
    if config['translate_out'] or config['translate_in']:
        _translate(host)
        return True
    if config['test_file']:
        _run_test_file(host)
        return True
    asked = {kind: dict(config[kind]) for kind in ONCE}
    if any(asked.values()) and not host.databases():
        raise UsageError("-i and -u need a database: add -d NAME.")
    try:
        for database in host.databases():
            _update(host, store, database, asked)
    finally:
        for kind in ONCE:
            config[kind] = {}
    return bool(config['stop_after_init'])


def _update(host, store, database, asked):
    """Install and update one database, when asked to or when it is empty."""
    finished = FinishedUpdates(host, store, database)
    with update_lock.hold(host.config, database, before_waiting=finished.look) as held:
        connection = held.connection
        wanted = {kind: dict(names) for kind, names in asked.items()}
        if not postgres.is_initialized(connection):
            wanted['init'].setdefault('base', 1)
        if held.waited and finished.cover(wanted):
            _logger.info("database %s: another node has just done this update", database)
            wanted = {}
        if any(wanted.values()):
            _logger.info("updating database %s: install %s, update %s", database,
                         ', '.join(wanted['init']) or 'nothing', ', '.join(wanted['update']) or 'nothing')
            if postgres.is_initialized(connection):
                _learn_of_new_modules(host, database, connection, wanted)
            _load_with_updates(host, database, wanted)
            _refuse_unfinished(connection, database)
            _refuse_missing(connection, database, wanted)
            finished.tell(wanted)
        elif host.config['stop_after_init']:
            host._load_registry(database)


def _named(wanted):
    """The names of all modules asked for, but for OpenERP's word `all`."""
    return sorted({name for names in wanted.values() for name in names} - {'all'})


def _unknown(connection, names, state='%'):
    """Those of `names` that the database does not list in a state like `state`."""
    cursor = connection.cursor()
    cursor.execute("SELECT name FROM ir_module_module WHERE name IN %s AND state LIKE %s",
                   (tuple(names) or ('',), state))
    return sorted(set(names) - {row[0] for row in cursor.fetchall()})


def _learn_of_new_modules(host, database, connection, wanted):
    """Have OpenERP list addons that came after the database did; it would ignore their names."""
    if not _unknown(connection, _named(wanted)):
        return
    registry = host.openerp.modules.registry.RegistryManager.get(database)
    with registry.cursor() as cursor:
        registry['ir.module.module'].update_list(cursor, host.openerp.SUPERUSER_ID)


def _refuse_missing(connection, database, wanted):
    """OpenERP ignores names it does not know; who asked for them should be told."""
    missing = _unknown(connection, _named(wanted), 'installed')
    if missing:
        raise HostFailure("Database %s has no installed module %s. Remedy: check the name and addons_path; "
                          "-u needs a module that is installed, -i installs it." % (
                              database, ', '.join(missing)))


def _load_with_updates(host, database, wanted):
    host.config.options.update(wanted)
    host.config['demo'] = {} if host.config['without_demo'] else dict(wanted['init'])
    try:
        registry = host.openerp.modules.registry.RegistryManager.new(database, update_module=True)
    except Exception:
        _logger.exception("updating database %s failed", database)
        raise HostFailure("Updating database %s failed; see the log above." % database)
    failures = registry._assertion_report.failures
    if failures:
        raise HostFailure("%d tests failed while updating database %s." % (failures, database))


def _refuse_unfinished(connection, database):
    """A module left half way is a failure, though OpenERP only logs it."""
    cursor = connection.cursor()
    cursor.execute("SELECT name, state FROM ir_module_module "
                   "WHERE state IN ('to install', 'to upgrade', 'to remove') ORDER BY name")
    left = cursor.fetchall()
    if left:
        raise HostFailure("Database %s is only partly updated: %s. See the log above." % (
            database, ', '.join('%s (%s)' % row for row in left)))


def _translate(host):
    server = host.openerp.cli.server
    try:
        if host.config['translate_out']:
            server.export_translation()
        else:
            server.import_translation()
    except Exception:
        _logger.exception("the translation failed")
        raise HostFailure("The translation was not exported or imported; see the log above.")


def _run_test_file(host):
    """As openerp-server --test-file, but a failure is an error and not just a log line."""
    if not host.databases():
        raise UsageError("--test-file needs a database: add -d NAME.")
    openerp, config = host.openerp, host.config
    database = host.databases()[0]
    with update_lock.hold(config, database):
        registry = openerp.modules.registry.RegistryManager.get(
            database, update_module=bool(config['init'] or config['update']))
        cursor = registry.db.cursor()
        try:
            with open(config['test_file']) as source:
                openerp.tools.convert_yaml_import(cursor, 'base', source, 'test', {}, 'test', True)
        except Exception:
            _logger.exception("test file %s failed", config['test_file'])
            raise HostFailure("Test file %s failed; see the log above." % config['test_file'])
        finally:
            cursor.rollback()
            cursor.close()
