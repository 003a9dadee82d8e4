# -*- coding: utf-8 -*-
"""Where settings come from: environment over file over default, all faults at once.

Runs in the master before any fork, before the host is imported and before
privileges are dropped; it reads one file and the environment and nothing else.
"""
import difflib

from oe_cluster_launch import compat
from oe_cluster_launch.errors import ConfigurationError, Fault
from oe_cluster_launch.settings.table import BY_NAME, TABLE

SECTION = 'cluster'
ENVIRONMENT_PREFIX = 'OE_CLUSTER_'
#: variables with our prefix that are no settings: hand-over between master processes
RESERVED_ENVIRONMENT = ('OE_CLUSTER_HANDOVER', 'OE_CLUSTER_KEEPER')


class Settings(object):
    """The settings of this node, read once and never changed. One attribute per row.

    :ivar path: the file they were read from, or None
    """

    def __init__(self, values, origins, path=None):
        self.__dict__.update(values)
        self._origins = origins
        self.path = path

    def __setattr__(self, name, value):
        if '_origins' in self.__dict__ and name != 'path':
            raise AttributeError("settings are read-only: %s" % name)
        self.__dict__[name] = value

    def replace(self, **changes):
        """A copy with some values changed, as tests and commands need it."""
        values = {row.name: getattr(self, row.name) for row in TABLE}
        unknown = set(changes) - set(values)
        if unknown:
            raise AttributeError("no such setting: %s" % ', '.join(sorted(unknown)))
        values.update(changes)
        origins = dict(self._origins, **dict.fromkeys(changes, 'code'))
        return Settings(values, origins, self.path)

    def origin(self, name):
        """Where the value came from: a variable's name, the file's path or 'default'."""
        return self._origins[name]

    def shown(self, name):
        """The value as text, secrets masked."""
        row, value = BY_NAME[name], getattr(self, name)
        if value is None:
            return ''
        return '***' if row.secret else row.kind.show(value)


def load_settings(path=None, environ=None):
    """Read and check every setting.

    :param path: the node's configuration file, or None for environment and defaults alone
    :raises ConfigurationError: with one :class:`Fault` per wrong setting
    """
    environ = {} if environ is None else environ
    faults = []
    from_file = _read_section(path, faults) if path else {}
    values, origins = {}, {}
    for row in TABLE:
        text, origin = _find(row, environ, from_file, path)
        origins[row.name] = origin
        values[row.name] = None
        if text is None:
            continue
        try:
            values[row.name] = row.kind.parse(text)
        except ValueError:
            shown = '***' if row.secret or row.name == 'redis_url' else text
            faults.append(Fault(row.name, shown, row.kind.accepts, "Mend it in %s" % origin))
    faults.extend(_unknown_names(environ, from_file, path))
    settings = Settings(values, origins, path)
    if faults:
        raise ConfigurationError(faults, path, settings)
    return settings


def _read_section(path, faults):
    try:
        parser = compat.read_ini(path)
    except IOError as error:
        faults.append(Fault('-c', path, error.strerror, "Name a file that this user can read"))
        return {}
    except compat.configparser.Error as error:
        faults.append(Fault('-c', path, str(error).replace('\n', ' '), "Mend that line"))
        return {}
    if not parser.has_section(SECTION):
        return {}
    values = {}
    for name in parser.options(SECTION):
        if name in parser.defaults():
            continue
        try:
            values[name] = parser.get(SECTION, name)
        except compat.configparser.Error:
            faults.append(Fault(name, parser.get(SECTION, name, raw=True),
                                "a single per cent sign starts an interpolation",
                                "Write %% for a per cent sign"))
    return values


def _find(row, environ, from_file, path):
    """The text of one setting and where it stands."""
    for variable in (row.environment_name,) + tuple(row.aliases):
        if environ.get(variable):
            return environ[variable], 'environment %s' % variable
    composed = _ESTABLISHED.get(row.name, lambda environ: (None, None))(environ)
    if composed[0] is not None:
        return composed
    if row.name in from_file:
        text = from_file[row.name].strip()
        return (text or (None if row.default is None else row.default)), path
    return row.default, 'default'


def _url_from_host_and_port(environ):
    host, port = environ.get('ODOO_SESSION_REDIS_HOST'), environ.get('ODOO_SESSION_REDIS_PORT')
    if not host and not port:
        return None, None
    return ('redis://%s:%s/0' % (host or 'localhost', port or 6379),
            'environment ODOO_SESSION_REDIS_HOST')


def _sentinel_from_host_and_port(environ):
    host, port = (environ.get('ODOO_SESSION_REDIS_SENTINEL_HOST'),
                  environ.get('ODOO_SESSION_REDIS_SENTINEL_PORT'))
    if not host:
        return None, None
    return '%s:%s' % (host, port or 26379), 'environment ODOO_SESSION_REDIS_SENTINEL_HOST'


#: established pairs of variables that together make one of our settings
_ESTABLISHED = {
    'redis_url': _url_from_host_and_port,
    'redis_sentinels': _sentinel_from_host_and_port,
}


def _unknown_names(environ, from_file, path):
    """A fault for each name that is no setting, with the nearest that is."""
    for name in sorted(from_file):
        if name not in BY_NAME:
            yield Fault(name, from_file[name], "[%s] has no such setting" % SECTION,
                        _nearest(name, BY_NAME) + " (in %s)" % path)
    known = {row.environment_name: row for row in TABLE}
    for variable in sorted(environ):
        if (variable.startswith(ENVIRONMENT_PREFIX) and variable not in known
                and variable not in RESERVED_ENVIRONMENT):
            yield Fault(variable, environ[variable], "no setting has this environment variable",
                        _nearest(variable, known))


def _nearest(name, candidates):
    close = difflib.get_close_matches(name, list(candidates), 1)
    return "Did you mean %s?" % close[0] if close else "Remove it"
