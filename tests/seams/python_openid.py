# -*- coding: utf-8 -*-
"""python-openid's own test of a store, from its source distribution: its wheel leaves it out."""
import glob
import os
import subprocess
import zipfile

from testbed import paths
from testbed.problem import Problem

REQUIREMENT = 'python-openid==2.2.5'
MEMBER = 'openid/test/storetest.py'


def store_test():
    """The function testStore(store) of python-openid; fetched once into the state folder."""
    path = paths.state('python-openid', 'storetest.py')
    if not os.path.exists(path):
        _fetch(path)
    names = {'__name__': 'storetest'}
    with open(path) as source:
        exec(compile(source.read(), path, 'exec'), names)  # noqa: S102 - a test that came with the library
    return names['testStore']


def _fetch(path):
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        os.makedirs(folder)
    # by Python 3: the pip of 2.7 does not download what is installed beside it
    process = subprocess.Popen(
        [paths.python3('python'), '-m', 'pip', 'download', '--no-deps', '--no-binary', ':all:',
         '--dest', folder, REQUIREMENT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.communicate()[0].decode('utf-8', 'replace')
    archives = glob.glob(os.path.join(folder, 'python-openid-*.zip'))
    if process.returncode or not archives:
        raise Problem("The sources of %s cannot be fetched; is there a network?\n%s" % (REQUIREMENT, said))
    with zipfile.ZipFile(archives[0]) as archive:
        member = [name for name in archive.namelist() if name.endswith(MEMBER)][0]
        with open(path, 'wb') as target:
            target.write(archive.read(member))
