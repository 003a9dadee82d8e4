# -*- coding: utf-8 -*-
"""The one Redis of the cluster: how it is reached, what its keys are called.

`connection.py` holds `Store`, which everything else is handed; `keys.py` is the
only file that builds a key; `scripts.py` runs the Lua of `lua/`; `subscription.py`
listens to a channel, `breaker.py` stops asking a server that is away; and
`server_checks.py` tells at boot whether the server is fit to keep sessions.
"""
from oe_cluster_launch.store.connection import Store
from oe_cluster_launch.store.keys import Keys

__all__ = ['Keys', 'Store']
