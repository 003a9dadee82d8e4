# -*- coding: utf-8 -*-
"""`python -m oe_cluster_launch` is `oe-cluster-launch`."""
import sys

from oe_cluster_launch.cli import main

if __name__ == '__main__':
    sys.exit(main())
