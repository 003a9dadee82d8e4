# -*- coding: utf-8 -*-
"""OpenERP's own options: read by OpenERP's own parser, its complaints made ours.

Every option of `openerp-server` works unchanged because OpenERP reads it. We
only turn `parser.error` (which would print and exit with 2) into a Fault, so
that `--check` can report it together with all others.
"""
import os

from oe_cluster_launch.errors import Fault, HostMismatch

#: the versions of the host that table.py was written and tested for
KNOWN_VERSION = (7, 0)


class OptionRefused(Exception):
    """OpenERP's parser refused an option. Its text is the parser's sentence."""


def import_host():
    """Import OpenERP, once per process.

    :raises HostMismatch: OpenERP is not there, or is not the version we know
    """
    try:
        import openerp
        import openerp.release
    except ImportError as error:
        raise HostMismatch(
            "OpenERP cannot be imported by this Python (%s). Remedy: install oe-cluster-launch "
            "into the Python 2.7 environment that runs openerp-server, or set PYTHONPATH." % error)
    if tuple(openerp.release.version_info[:2]) != KNOWN_VERSION:
        raise HostMismatch("This is OpenERP %s; the launcher supports %d.%d."
                          % ((openerp.release.version,) + KNOWN_VERSION))
    return openerp


def read(openerp, arguments):
    """Let OpenERP parse its command line and file.

    :raises OptionRefused: with the parser's own sentence
    """
    parser = openerp.tools.config.parser

    def refuse(message):
        raise OptionRefused(message)
    previous, parser.error = parser.error, refuse
    try:
        openerp.tools.config.parse_config(arguments)
    except OptionRefused:
        raise
    except Exception as error:  # parse_config raises bare Exception for some values
        raise OptionRefused(str(error))
    finally:
        parser.error = previous
    return openerp.tools.config


def faults(openerp, arguments):
    """The faults of the host's options, as a list of :class:`Fault`."""
    try:
        config = read(openerp, arguments)
    except OptionRefused as refusal:
        return [Fault('[options]', ' '.join(arguments), str(refusal), "See openerp-server --help")]
    found = []
    if config['db_user'] == 'postgres':
        found.append(Fault('db_user', 'postgres', "OpenERP refuses the database's superuser",
                           "Create a role of its own with CREATEDB"))
    for name in ('workers', 'max_cron_threads', 'limit_request'):
        if int(config[name] or 0) < 0:
            found.append(Fault(name, config[name], "must not be negative", "Mend it in [options]"))
    for path in config['addons_path'].split(','):
        if not os.path.isdir(path):
            found.append(Fault('addons_path', path, "there is no such folder",
                               "Mend it in [options]"))
    return found
