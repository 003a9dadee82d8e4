# -*- coding: utf-8 -*-
"""What is measured inside one process with OpenERP, on Python 2.7; each prints one line of JSON.

Run by sessions.py and ormcache.py. The line is {"series": [[name, unit, {system: [figures]}], ...]}.
"""
