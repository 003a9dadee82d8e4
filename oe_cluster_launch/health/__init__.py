# -*- coding: utf-8 -*-
"""What load balancers and operators may ask a node, answered without the host.

`endpoints.py` is the WSGI application: which path, who may ask. `document.py`
has the JSON of the answers. What is true of this node, supervisor/health.py
knows; `address.py` says on which port of its own it is asked.
"""
