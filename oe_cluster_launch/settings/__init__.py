# -*- coding: utf-8 -*-
"""The settings of the `[cluster]` section: one table, one loader.

`table.py` holds one declarative row per setting, `kinds.py` how values are
read and checked, `load.py` where they come from (environment over file over
default) and the immutable `Settings` that everything else is handed.
The host's own `[options]` are none of our business: the host reads them.
"""
from oe_cluster_launch.settings.load import Settings, load_settings
from oe_cluster_launch.settings.table import TABLE, Setting

__all__ = ['TABLE', 'Setting', 'Settings', 'load_settings']
