# -*- coding: utf-8 -*-
"""What a seam expects to find in the host, before it dares to replace it.

A shape's `fault(found)` returns None, or the half sentence that says how the
host differs from the one the seam was written for. Shapes only look: they
never call or change what they are shown.
"""
from oe_cluster_launch.compat import argument_names


class Function(object):
    """A function or method with exactly these arguments (`*args` written with its star)."""

    def __init__(self, *arguments):
        self.arguments = list(arguments)

    def fault(self, found):
        function = getattr(found, '__func__', found)
        names = argument_names(function) if callable(function) else None
        if names is None:
            return "is no Python function"
        if names != self.arguments:
            return "takes (%s), expected (%s)" % (', '.join(names), ', '.join(self.arguments))
        return None


class ContextManager(Function):
    """A generator function with these arguments, made a context manager by contextlib."""

    def fault(self, found):
        generator = getattr(found, '__wrapped__', None)
        if generator is None:  # Python 2 keeps it in the wrapper's closure alone
            cells = getattr(found, '__closure__', None) or ()
            generator = cells[0].cell_contents if len(cells) == 1 else None
        if generator is None:
            return "is no context manager"
        return super(ContextManager, self).fault(generator)


class Class(object):
    """A class that has these methods, each with exactly these arguments."""

    def __init__(self, **methods):
        self.methods = methods

    def fault(self, found):
        if not isinstance(found, type):
            return "is no class"
        for name in sorted(self.methods):
            method = getattr(found, name, None)
            if method is None:
                return "has no method %s" % name
            fault = Function(*self.methods[name]).fault(method)
            if fault:
                return "its method %s %s" % (name, fault)
        return None


class Instance(object):
    """An object of the class `class_name` that has these attributes."""

    def __init__(self, class_name, *attributes):
        self.class_name = class_name
        self.attributes = attributes

    def fault(self, found):
        if type(found).__name__ != self.class_name:
            return "is a %s, expected a %s" % (type(found).__name__, self.class_name)
        missing = [name for name in self.attributes if not hasattr(found, name)]
        return "lacks %s" % ', '.join(missing) if missing else None


class Value(object):
    """A plain value of one of these types."""

    def __init__(self, *types):
        self.types = types

    def fault(self, found):
        if isinstance(found, self.types):
            return None
        return "is a %s, expected %s" % (
            type(found).__name__, ' or '.join(kind.__name__ for kind in self.types))
