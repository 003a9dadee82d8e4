# -*- coding: utf-8 -*-
"""Benchmarks against stock, plain gunicorn and the well-known recipe: `make bench`.

    requests_per_second   through nginx, by workload; latency; Redis commands per request
    ormcache              hits, misses, several processes, a storm of clears
    sessions              open and close, round trips, bytes, a million of them
    boot                  time to ready, first request of a new worker, memory
    scaling               1 to 8 nodes, and a model of what one machine cannot show
    scripts               failover.py and rpc_cost.py, which can be run by themselves
    suite/                what they share; inside/ what runs in OpenERP's own Python 2.7
    recipe/               the recipe, written for this comparison

docs/benchmarks/README.md says how to read the results. Nothing here fails for slowness.
"""
