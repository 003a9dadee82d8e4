# -*- coding: utf-8 -*-
"""OpenERP 7.0: how to start it, and the table of every place where we change it.

`host.py` starts it, `updates.py` installs and updates modules, `options.py`
reads its command line, `table.py` is the table of seams; the other files hold
one subject's seams each. Only this package, `boot.py` and `supervisor/` may
import or name the host.
"""
