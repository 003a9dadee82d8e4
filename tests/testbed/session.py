# -*- coding: utf-8 -*-
"""One test session: its folder, and the databases that its tests copy."""
import os
import shutil

from . import account, paths, process_table, running


def begin():
    """Clean up after sessions that were killed; return the folder of this one."""
    paths.create_state_folder()
    running.sweep()
    parent = paths.state('tests')
    for name in os.listdir(parent):
        if not process_table.started(int(name)):
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
    return account.folder(folder())


def folder():
    """The folder of this session; the next session deletes it."""
    return paths.state('tests', str(os.getpid()))


def fresh_folder(name):
    """A new folder in this session's, named `name`-1, `name`-2 ..."""
    number = 1
    while os.path.exists(os.path.join(folder(), '%s-%d' % (name, number))):
        number += 1
    return account.folder(os.path.join(folder(), '%s-%d' % (name, number)))
