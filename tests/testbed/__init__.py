# -*- coding: utf-8 -*-
"""The testbed: real PostgreSQL, Redis, nginx and OpenERP 7.0 for demo, tests and benchmarks.

Runs with Debian's python3 and its standard library alone: it is what installs the rest.
From the Makefile: `cd tests && python3 -m testbed COMMAND` (see __main__.py).

  what is installed   install.py (the list of steps), packages.py (Debian), python27.py,
                      environments.py (virtualenvs), golden.py (databases with modules installed)
  where and as whom   paths.py (the state folder), account.py (the unprivileged account)
  what is started     service.py (start, kill, pause, stop: common to all), postgres.py,
                      redis_server.py, sentinel.py, nginx.py, site.py (the nginx we ship), node.py,
                      cluster.py, machine.py (systemd as process 1), breaking.py, browser.py
  who talks to it     clients.py (XML-RPC and the web client's JSON calls)
  what uses it all    demo.py (`make run`), and the fixtures of tests/conftest.py
  small things        waiting.py, ports.py, process_table.py, running.py, progress.py,
                      problem.py, certificates.py

Every service is private to one state folder, listens on sockets and loopback ports of its own,
and never touches a PostgreSQL, Redis or nginx that the machine already runs.

Files that unit and contract tests import are valid on Python 2.7 too: all but install.py,
packages.py, python27.py, environments.py, demo.py, clients.py and browser.py.
"""
