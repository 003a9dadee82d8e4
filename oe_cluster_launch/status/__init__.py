# -*- coding: utf-8 -*-
"""The cluster at a glance: the status page, the same as JSON, and `oe-cluster-launch top`.

`facts.py` gathers everything once, from Redis alone, so that any node and any
machine with the settings can tell; `concerns.py` says what in it is wrong;
`page.py` (with `markup.py` and `timeline.py`) and `terminal.py` only show it.
"""
