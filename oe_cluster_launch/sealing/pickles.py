# -*- coding: utf-8 -*-
"""Pickles that cannot do anything: only classes on a list are ever looked up.

A pickle names classes and functions and has them called; reading one from
outside is running a program. Here every name that is not on the allow-list
ends the reading before anything is imported or called. The list holds plain
data; a host adds its session classes, an operator more by `unpickle_allow`.
"""
import sys

from oe_cluster_launch.compat import (
    BUILTINS,
    COPYREG,
    PICKLE_PROTOCOL,
    pickle,
    plain_pickle,
    restricted_unpickle,
)
from oe_cluster_launch.errors import LaunchError, SealError

#: classes that are nothing but data, wherever they are made
PLAIN_DATA = frozenset([
    (BUILTINS, 'set'), (BUILTINS, 'frozenset'), (BUILTINS, 'complex'), (BUILTINS, 'bytearray'),
    ('collections', 'OrderedDict'), ('collections', 'deque'),
    ('datetime', 'date'), ('datetime', 'datetime'), ('datetime', 'time'), ('datetime', 'timedelta'),
    ('decimal', 'Decimal'),
])
#: names that pickle needs to rebuild objects whose class is on the list
_REBUILDERS = frozenset([
    (COPYREG, '_reconstructor'), (BUILTINS, 'object')])


class ForeignClass(SealError):
    """A pickle names a class that is not on the allow-list; `name` is module:class."""

    def __init__(self, module, name):
        self.name = '%s:%s' % (module, name)
        super(ForeignClass, self).__init__(
            "A session holds a %s, which is not allowed there. If an addon of yours put it there, "
            "add %s to unpickle_allow" % (self.name, self.name))


class Pickles(object):
    """Writes any value, reads only what the allow-list names.

    :param allowed: pairs (module, class) beyond plain data
    """

    def __init__(self, allowed=()):
        self._allowed = PLAIN_DATA | _REBUILDERS | frozenset(allowed)

    @staticmethod
    def dump(value):
        """`value` as bytes. A value that cannot be pickled raises what pickle raises."""
        return pickle.dumps(value, PICKLE_PROTOCOL)

    @staticmethod
    def look(value):
        """Bytes that tell whether `value` itself has been changed since; None when they cannot be had."""
        try:
            return plain_pickle(value)
        except Exception:  # cycles; and pickle calls code of the value's class, which may raise anything
            return None

    def load(self, data):
        """The value in `data`, which must be authenticated already.

        :raises ForeignClass: it names a class that is not on the list
        :raises SealError: it is no pickle, or its classes changed since
        """
        try:
            return restricted_unpickle(data, self._find)
        except LaunchError:
            raise
        except Exception as error:  # pickle raises almost anything on bad input
            raise SealError("A session value cannot be read: %s: %s" % (type(error).__name__, error))

    def _find(self, module, name):
        if (module, name) not in self._allowed:
            raise ForeignClass(module, name)
        __import__(module)
        return getattr(sys.modules[module], name)


def allowed_names(words):
    """The setting `unpickle_allow` (`module:class` words) as pairs."""
    return [tuple(word.split(':', 1)) for word in words]
