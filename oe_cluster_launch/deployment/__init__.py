# -*- coding: utf-8 -*-
"""The files around a node: nginx before it, systemd below it, written from its own settings.

`nginx.py` and `systemd.py` decide what goes into a file, `templates/` is how it reads, and
`node_file.py` knows the few options of the host that they need. The examples in conf/ and
systemd/ are what these print for conf/node.conf; tests/test_examples.py holds them together.
Used by the commands of those names, on an operator's terminal; no node ever imports this.
"""
