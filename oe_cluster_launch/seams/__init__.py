# -*- coding: utf-8 -*-
"""The places where we reach into the host, and nothing else.

`seam.py` is the mechanism: a table of seams, all checked first, then all
installed, or none. `shape.py` describes what a seam expects to find. Each
host has a package of its own beside them (`openerp7/`): its table, one file
per subject, and `host.py`, which knows how to start it.
"""
