# -*- coding: utf-8 -*-
"""Keys and Redis, checked and made ready in the master before the first seam is installed."""


def prepare(node):
    pass


def faults(settings):
    return []
