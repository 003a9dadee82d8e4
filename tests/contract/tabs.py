# -*- coding: utf-8 -*-
"""A host's session class as small as it can be, for tests without a host: one object per browser tab."""
from oe_cluster_launch.sessions.policy import Policy, User


class Tab(object):
    """Somebody signed in or not, calls that wait to be fetched, and a context."""

    def __init__(self):
        self.user = None
        self.password = None
        self.ended = False
        self.waiting = {}
        self.context = {}

    def sign_in(self, uid, database='db', password='secret'):
        self.user = (database, uid, 'login%d' % uid)
        self.password = password
        return self

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __ne__(self, other):
        return not self == other

    __hash__ = None


class TabPolicy(Policy):
    """What a Tab means; everything else in a session is plain."""

    classes = (('tabs', 'Tab'),)
    units = (('user', 'password'),)

    def user(self, value):
        return User(*value.user) if isinstance(value, Tab) and value.user and not value.ended else None

    def has_ended(self, value):
        return isinstance(value, Tab) and value.ended

    def worth_storing(self, name, value, anybody_signed_in):
        return bool(value.user or value.waiting) if isinstance(value, Tab) else anybody_signed_in

    def blank(self, value):
        return Tab() if isinstance(value, Tab) else super(TabPolicy, self).blank(value)

    def prefer(self, base, mine, theirs):
        return mine if mine.get('user') or not theirs.get('user') else theirs


def tab(session, name):
    """The tab of that name, made when it is missing, as the host does it."""
    if name not in session:
        session[name] = Tab()
    return session[name]
