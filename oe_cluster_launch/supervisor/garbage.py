# -*- coding: utf-8 -*-
"""Python's garbage collector, told to leave alone what the master has loaded.

A full collection writes into the head of every object, so each process would
get a copy of its own of the pages it shares with the master since the fork:
nearly all of OpenERP's models. They are no garbage. So the master collects
once, just before it forks, which puts them all into the oldest generation, and
its children collect that one rarely; what requests leave behind is young.
The idea is that of `gc.freeze` in later Pythons, and the reason is the same.
"""
import gc

#: containers made and not yet freed before the youngest are looked at; as many collections of one
#: generation before the next older is. Python's own are 700, 10, 10
THRESHOLDS = 10000, 20, 100


def settle():
    """In the master, as the last thing before it forks; what it forks inherits the thresholds."""
    gc.collect()
    gc.set_threshold(*THRESHOLDS)
