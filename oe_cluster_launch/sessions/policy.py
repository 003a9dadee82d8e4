# -*- coding: utf-8 -*-
"""What the values in a session mean, as far as storing them depends on it.

The base class knows nothing of any host: nobody ever signs in and everything
is worth storing. A host's seam brings a subclass that knows its session class.
All methods are pure functions of their arguments.
"""
import collections

#: who is signed in: database name, user id, login
User = collections.namedtuple('User', 'database uid login')


class Policy(object):
    """A session is a plain dictionary."""

    #: pairs (module, class) that values may be made of, beside plain data
    classes = ()
    #: attributes that are one thing: changed together, never mixed from two requests
    units = ()

    def user(self, value):
        """The :class:`User` who is signed in in this value, or None."""

    def has_ended(self, value):
        """Whether this value was logged out by the current request."""
        return False

    def worth_storing(self, name, value, anybody_signed_in):
        """Whether losing this value would be noticed.

        :param anybody_signed_in: whether somebody is, in any value of the session
        """
        return True

    def blank(self, value):
        """A value of that kind to which nothing has happened yet, or None when there is no such thing."""
        return {} if type(value) is dict else None

    def prefer(self, base, mine, theirs):
        """Which of two new contents of a unit stays, each a dictionary; `base` is the old one."""
        return mine
