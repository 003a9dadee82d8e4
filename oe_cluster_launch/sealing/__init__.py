# -*- coding: utf-8 -*-
"""What goes to Redis is sealed: encrypted, authenticated and bound to its place.

`key_file.py` reads, makes and rotates the keys; `seal.py` seals and unseals
with them; `pickles.py` reads a pickle without executing anything it names.
The order is always unseal, then unpickle: what we did not write is never parsed.
"""
from oe_cluster_launch.sealing.seal import Sealing

__all__ = ['Sealing']
