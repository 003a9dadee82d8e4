# -*- coding: utf-8 -*-
"""THE table: every attribute of OpenERP 7.0 that we replace, subject by subject."""
from oe_cluster_launch.seams.openerp7 import openid, requests, sessions

SEAMS = requests.SEAMS + sessions.SEAMS + openid.SEAMS
