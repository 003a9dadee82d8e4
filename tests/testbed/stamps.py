# -*- coding: utf-8 -*-
"""Stamps: which installation steps are done, and with which inputs."""
import hashlib
import os

from . import paths


def digest(*inputs):
    """A hash of `inputs`: what begins with / is a file or folder to read, the rest is text."""
    result = hashlib.sha1()
    for item in inputs:
        for path in _files(item):
            result.update(os.path.relpath(path, paths.CHECKOUT).encode())
            with open(path, 'rb') as stream:
                result.update(stream.read())
        if not item.startswith('/'):
            result.update(item.encode())
    return result.hexdigest()


def is_done(name, value):
    """Whether the step `name` was done with inputs of this digest."""
    try:
        with open(paths.state('stamps', name)) as stream:
            return stream.read() == value
    except OSError:
        return False


def done(name, value):
    """Remember that the step `name` is done."""
    with open(paths.state('stamps', name), 'w') as stream:
        stream.write(value)


def undo(name):
    """Forget that the step `name` was done, before it is begun again."""
    if os.path.exists(paths.state('stamps', name)):
        os.unlink(paths.state('stamps', name))


def _files(item):
    if os.path.isfile(item):
        return [item]
    return sorted(os.path.join(folder, name)
                  for folder, _folders, names in os.walk(item)
                  for name in names if not name.endswith('.pyc'))
