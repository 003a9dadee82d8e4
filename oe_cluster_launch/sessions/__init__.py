# -*- coding: utf-8 -*-
"""Web sessions in Redis: atomic, sealed, revocable, never lost and never resurrected.

    session.py       the dictionary a request works on
    policy.py        what its values mean: who is signed in, what is worth storing
    record.py        a session as it is in Redis, and the way there and back
    changes.py       what a request changed, and how that fits what others changed
    merge.py         three versions of one value become one
    store.py         RedisSessionStore: open, close, end
    index.py         which sessions exist, and whose they are
    import_files.py  sessions that stock OpenERP left on the disk

No part of it knows OpenERP: the host's session class comes in through the policy.
"""
