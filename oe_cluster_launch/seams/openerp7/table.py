# -*- coding: utf-8 -*-
"""THE table: every attribute of OpenERP 7.0 that we replace, subject by subject."""


SEAMS = []
