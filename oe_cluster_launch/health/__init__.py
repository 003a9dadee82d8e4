# -*- coding: utf-8 -*-
"""What load balancers and operators may ask a node, answered without the host."""
