# -*- coding: utf-8 -*-
"""The one exception of the testbed."""


class Problem(Exception):
    """The testbed cannot go on: one sentence that says why and what to do about it."""
