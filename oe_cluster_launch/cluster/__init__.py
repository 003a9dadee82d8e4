# -*- coding: utf-8 -*-
"""Who is in the cluster: each node's record in Redis, and who may join."""
