# -*- coding: utf-8 -*-
"""The Lua scripts of `lua/`, run by their digest.

A script is atomic on the server and costs one round trip. A server that does
not know it yet (first use, restart, failover, SCRIPT FLUSH) is sent the text
once, in the same call. Each file's header states KEYS, ARGV, units and reply.
"""
import hashlib
import pkgutil

from redis.exceptions import NoScriptError

_loaded = {}
_names = {}


class Script(object):
    """The text of one file of `lua/` and its digest."""

    def __init__(self, name):
        self.name = name
        self.text = pkgutil.get_data('oe_cluster_launch.store', 'lua/%s.lua' % name)
        self.digest = hashlib.sha1(self.text).hexdigest()


def load_script(name):
    """The script of that name; read once per process, shared by forked children."""
    if name not in _loaded:
        _loaded[name] = Script(name)
        _names[_loaded[name].digest] = name
    return _loaded[name]


def name_of(digest):
    """The name of a script that was loaded in this process, or None."""
    return _names.get(digest)


def run_script(client, name, keys=(), arguments=()):
    """Run a script and return its reply.

    :raises RedisUnavailable: the caller cannot know whether it was executed
    """
    script = load_script(name)
    tail = [len(keys)] + list(keys) + list(arguments)
    try:
        return client.execute_command('EVALSHA', script.digest, *tail)
    except NoScriptError:
        return client.execute_command('EVAL', script.text, *tail)
