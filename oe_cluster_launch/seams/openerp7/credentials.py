# -*- coding: utf-8 -*-
"""A cached password counts only for the version of the user's row it was checked against.

OpenERP's `res_users._uid_cache` accepts a password until the worker dies, also
after it was changed, or the user deactivated or deleted, elsewhere (fault 1).
The dictionary below takes its place: it looks the same to OpenERP and to
addons that authenticate in their own way, but finds nothing unless the row is
still the same. The version is read together with the signaling sequences.
It does not notice a change in a foreign directory such as LDAP.

A log-in changes the row itself (`login_date`). What a request has logged in with
is therefore good until its end, as OpenERP alone would have it: the web client
logs in and asks for the user's context in one request.
"""
from oe_cluster_launch.ormcache import request
from oe_cluster_launch.seams.openerp7 import connections, signaling
from oe_cluster_launch.seams.seam import AFTER_ADDONS, BEFORE_ADDONS, Seam
from oe_cluster_launch.seams.shape import Function, Value


class Credentials(dict):
    """`_uid_cache`: by database name, a :class:`Passwords`. Asked for an unknown one it makes it."""

    def __missing__(self, name):
        return self.setdefault(name, Passwords(name))

    def get(self, name, default=None):
        return self[name]

    def has_key(self, name):
        """Always: OpenERP would else put a plain dictionary here."""
        return True

    __contains__ = has_key

    def setdefault(self, name, default=None):
        return dict.setdefault(self, name, default if isinstance(default, Passwords) else Passwords(name))


class Passwords(dict):
    """By user id, the password that was last accepted; valid only for the same version of the row.

    The version is read before OpenERP checks the password and kept with it:

    t0  A reads version 1    t1  B changes the password: version 2
    t2  A's check, in a newer snapshot, accepts the new one and keeps it for version 1
    The next request reads version 2 and checks again: too often, never too rarely.
    """

    def __init__(self, name):
        super(Passwords, self).__init__()
        self._name = name

    def prove(self, uid, password):
        """This request has logged in: good until it ends, or changes the user."""
        state = request.current().database(self._name)
        if state.request.bounded:
            state.proven[uid] = password

    def get(self, uid, default=None):
        proven = request.current().database(self._name).proven
        if uid in proven:
            return proven[uid]
        version = self._version(uid)
        password, checked_version = dict.get(self, uid, (default, None))
        return password if version is not None and version == checked_version else default

    def __getitem__(self, uid):
        found = self.get(uid, self)
        if found is self:
            raise KeyError(uid)
        return found

    def __setitem__(self, uid, password):
        version = request.current().database(self._name).user_versions.get(uid)
        if version is not None:
            dict.__setitem__(self, uid, (password, version))

    def __contains__(self, uid):
        return dict.__contains__(self, uid) or uid in request.current().database(self._name).proven

    def __delitem__(self, uid):
        """Forget a user; OpenERP does so inside the transaction that changes him."""
        self.pop(uid, None)
        state = request.current().database(self._name)
        state.user_versions.pop(uid, None)
        state.proven.pop(uid, None)

    def _version(self, uid):
        """The version of a user's row in this request; without a request, now."""
        state = request.current().database(self._name)
        if not state.request.bounded or uid not in state.user_versions:
            state.user_versions[uid] = _read_version(self._name, uid)
        return state.user_versions[uid]


def _read_version(name, uid):
    from openerp import sql_db
    if not signaling.may_be_id(uid):
        return None
    row, _identity = connections.fetch_single(sql_db.db_connect(name), signaling.USER_VERSION, (uid,))
    return row and row[0]


def versioned_cache(original, context):
    return Credentials()


def proving_login(original, context):
    """res_users.login, which has checked the credentials when it returns a user."""
    def login(self, db, login, password):
        uid = original(self, db, login, password)
        if uid:
            self._uid_cache[db].prove(uid, password)
        return uid
    return login


def check(original, context):
    """Tell the signaling check whose row version to read along: no round trip of its own."""
    def check(db, uid, passwd):
        signaling.expect_user(db, uid)
        return original(db, uid, passwd)
    return check


SEAMS = [
    Seam('credential cache', 'openerp.addons.base.res.res_users', 'res_users._uid_cache', Value(dict),
         versioned_cache,
         "an old password would be accepted after it was changed through another worker or node",
         phase=AFTER_ADDONS),
    Seam('log-in', 'openerp.addons.base.res.res_users', 'res_users.login',
         Function('self', 'db', 'login', 'password'), proving_login,
         "each log-in would be followed by a second check of the same password", phase=AFTER_ADDONS),
    Seam('credential check', 'openerp.service.security', 'check', Function('db', 'uid', 'passwd'), check,
         "the version of the user's row would cost a round trip of its own", phase=BEFORE_ADDONS),
]
