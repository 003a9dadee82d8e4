# -*- coding: utf-8 -*-
"""The doctor: what is wrong, or soon will be, with this node and what it stands on.

    result          what one check found: ok, warn, fail or skip, and the remedy
    context         what the checks may ask: settings, host, Redis, PostgreSQL, other nodes
    runner          all checks, one after the other, each in a process of its own, bounded in time
    table           THE list of checks; one file per area:
                    configuration, postgresql, redis_server, key, clocks, files, nodes,
                    machine, front_door
    start           `--check`: those of the checks that tell whether this node may start
    report          the answer as a table and as JSON

A check that fails does not keep the others from running. Nothing is changed on
any server: what is written to find out whether it may be written is deleted in
the same step.
"""
