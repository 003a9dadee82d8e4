# -*- coding: utf-8 -*-
"""`oe-cluster-launch key`: make, rotate and recognize the keys that seal what goes to Redis."""
import grp
import json
import os
import pwd
import sys

from oe_cluster_launch import privileges
from oe_cluster_launch.errors import EXIT_OK, ConfigurationError, UsageError
from oe_cluster_launch.sealing import key_file

NAME = 'key'
HELP = "make, rotate or recognize the keys in secret_key_file"


def add_arguments(parser):
    actions = parser.add_subparsers(dest='action', metavar='new|rotate|fingerprint')
    actions.required = True
    actions.add_parser('new', help="make the file with one key; never replaces one that is there")
    actions.add_parser('rotate', help="put a new key on top; sessions sealed with the old ones stay valid")
    fingerprint = actions.add_parser('fingerprint', help="print which keys the file holds, newest first")
    fingerprint.add_argument('-f', '--format', choices=('table', 'json'), default='table')


def run(arguments, settings):
    return {'new': new, 'rotate': rotate, 'fingerprint': fingerprint}[arguments.action](arguments, settings)


def new(arguments, settings):
    path = settings.secret_key_file
    if not key_file.create(path, _owner(settings)):
        raise UsageError("%s is there already: use `key rotate` to change the key without logging "
                         "anybody out, or remove the file to log everybody out" % path)
    _print_first(path, key_file.read_keys(path))
    return EXIT_OK


def rotate(arguments, settings):
    path = settings.secret_key_file
    keys = key_file.rotate(path)
    _print_first(path, keys)
    sys.stdout.write("Copy the file to every other node now, then reload the nodes one by one (SIGHUP).\n")
    return EXIT_OK


def fingerprint(arguments, settings):
    found = [key_file.fingerprint(key) for key in key_file.read_keys(settings.secret_key_file)]
    if arguments.format == 'json':
        sys.stdout.write(json.dumps({'path': settings.secret_key_file, 'fingerprints': found},
                                    indent=2, sort_keys=True) + '\n')
    else:
        for number, text in enumerate(found):
            sys.stdout.write("%s  %s\n" % (text, "seals and unseals" if number == 0 else "unseals"))
    return EXIT_OK


def _print_first(path, keys):
    sys.stdout.write("%s: newest key %s, %d key%s\n" % (
        path, key_file.fingerprint(keys[0]), len(keys), '' if len(keys) == 1 else 's'))


def _owner(settings):
    """Root makes the file for the user that runs the node."""
    if os.geteuid() != 0 or not settings.user:
        return None
    faults = privileges.check(settings)
    if faults:
        raise ConfigurationError(faults, settings.path)
    account = pwd.getpwnam(settings.user)
    return account.pw_uid, grp.getgrnam(settings.group).gr_gid if settings.group else account.pw_gid
