# -*- coding: utf-8 -*-
"""The options of the host that concern its surroundings, read from node.conf without the host.

Only the file counts: what stands on a command line is not known here.
"""
from oe_cluster_launch import compat
from oe_cluster_launch.errors import ConfigurationError, Fault

#: the host's own defaults
PORT = 8069
TIME_LIMIT_SECONDS = 120
#: an interface that stands for all
EVERY_ADDRESS = ('', '0.0.0.0', '::')


class NodeFile(object):
    """What `[options]` of a node says.

    :ivar interface: the address it listens on; '' is all
    :ivar written_paths: absolute paths that the node writes to by its options
    :ivar read_paths: absolute paths that it reads
    """

    def __init__(self, path):
        options = _options(path)
        self.interface = options.get('xmlrpc_interface', '')
        self.port = _number(path, options, 'xmlrpc_port', PORT)
        self.time_limit_seconds = _number(path, options, 'limit_time_real', TIME_LIMIT_SECONDS)
        self.written_paths = [options[name] for name in ('logfile', 'pidfile')
                              if options.get(name, '').startswith('/')]
        self.read_paths = [part.strip() for part in options.get('addons_path', '').split(',')
                           if part.strip().startswith('/')]

    @property
    def address(self):
        """(host, port) as a client on this machine reaches it."""
        return ('127.0.0.1' if self.interface in EVERY_ADDRESS else self.interface), self.port


def _options(path):
    """{name: text} of `[options]`; an unset option, written False or None, counts as absent."""
    parser = compat.read_ini(path) if path else None
    if not parser or not parser.has_section('options'):
        return {}
    found = {name: parser.get('options', name, raw=True).strip() for name in parser.options('options')}
    return {name: text for name, text in found.items() if text not in ('', 'False', 'None')}


def _number(path, options, name, default):
    try:
        return int(options.get(name, default))
    except ValueError:
        raise ConfigurationError([Fault(name, options[name], "accepted is a whole number",
                                        "Mend it in %s" % path)], path)
