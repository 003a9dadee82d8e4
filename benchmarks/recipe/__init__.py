# -*- coding: utf-8 -*-
"""The well-known recipe for several OpenERP servers, as small as it can be, to measure it.

Sessions are pickles in Redis, SET and EXPIRE at the end of each request; every hit of the ormcache
is an HGET and an unpickle. Nothing is sealed, merged or invalidated safely: do not use it.
"""
