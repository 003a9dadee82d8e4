# -*- coding: utf-8 -*-
"""The ORM's method cache: faster than the host's own, and shared by all nodes.

    decorator.py    `ormcache` and `ormcache_multi`, as the host's addons use them
    local.py        the first level: this process's entries, bounded
    values.py       how a returned value is kept so that no caller can change it
    keys.py         keys in one form on every node
    request.py      what a request and its transactions know before they are committed
    generation.py   which entries may be believed, as pure decisions
    shared.py       the second level: a log of answers per database and generation, in Redis

Nothing here knows the host; seams/openerp7/ormcache.py and signaling.py bind it.
"""
