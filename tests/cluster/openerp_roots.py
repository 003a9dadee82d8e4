# -*- coding: utf-8 -*-
"""Installations of OpenERP that share their code and nothing else, as on several machines."""
import glob
import os

from testbed import account, paths


def make(folder):
    """A folder to put on PYTHONPATH; its `openerp` has everything of the real one as links."""
    real, = glob.glob(os.path.join(os.path.dirname(paths.python27('python')), '..', 'lib', 'python2.7',
                                   'site-packages', 'openerp'))
    package = account.folder(os.path.join(folder, 'openerp'))
    for name in os.listdir(real):
        if name != 'filestore':
            os.symlink(os.path.join(os.path.realpath(real), name), os.path.join(package, name))
    return folder


def python_path(folder):
    """PYTHONPATH with that installation first."""
    return ':'.join([folder, account.environment(folder).get('PYTHONPATH', '')]).rstrip(':')
