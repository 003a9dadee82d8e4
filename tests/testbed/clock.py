# -*- coding: utf-8 -*-
"""A wall clock that a test can make jump, for one service alone: libfaketime.

The library is preloaded into the service and all its children and adds an
offset, read from a file, to what the wall clock says. CLOCK_MONOTONIC is left
alone, as the kernel leaves it alone when somebody sets the real clock.
"""
import glob
import os

from . import account
from .problem import Problem

LIBRARIES = '/usr/lib/*/faketime/libfaketimeMT.so.1'


class Clock(object):
    """The wall clock of one service; give `environment` to the service."""

    def __init__(self, folder):
        found = glob.glob(LIBRARIES)
        if not found:
            raise Problem("libfaketime is not installed: run `make install`.")
        self._path = os.path.join(account.folder(folder), 'clock')
        self.environment = {
            'LD_PRELOAD': found[0], 'FAKETIME_TIMESTAMP_FILE': self._path, 'FAKETIME_CACHE_DURATION': '1',
            'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'DONT_FAKE_MONOTONIC': '1', 'FAKETIME_DISABLE_SHM': '1'}
        self.jump(0)

    def jump(self, seconds):
        """Be that far ahead of the machine's clock (negative: behind), within a second."""
        with open(self._path + '.new', 'w') as stream:
            stream.write('%+d\n' % seconds)
        account.give(self._path + '.new')
        os.rename(self._path + '.new', self._path)
