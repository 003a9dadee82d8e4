# -*- coding: utf-8 -*-
"""oe-cluster-launch: several OpenERP 7.0 servers as one cluster.

A map, in the order of a node's life:

    cli, commands/    the command line; one file per subcommand
    settings/         the [cluster] section: one table, one loader
    check/            the doctor: what is wrong with this node and what it stands on
    boot              the steps from command line to "ready to fork", in order
    privileges        from root to the user OpenERP runs as
    seams/            the places where we change the host, as a table;
                      seams/openerp7/ is all we know of OpenERP 7.0
    shared_state      key file and Redis, ready before the first seam
    shared_paths      folders that all nodes should see alike, and whether they do
    supervisor/       keeper, master (gunicorn's arbiter), workers, limits, signals
    sessions/         web sessions in Redis: atomic, sealed, revocable
    openid_store      auth_openid's associations and nonces in Redis
    ormcache/         the shared ormcache: two levels, never staler than stock
    spool             reports in the making: begun on one node, fetched from any
    cron/             one node runs cron: lease, election, agent
    cluster/          who is in the cluster
    metrics/          what a node counts, for Prometheus
    health/           who may ask what of a node, and the form of the answers
    status/           the whole cluster at a glance: page, JSON, terminal
    deployment/       files for nginx and systemd, written from a node's settings
    current_request   what a process is doing now, for logs and limits
    store/            Redis: connection, keys, Lua scripts, server checks
    sealing           what goes to Redis is encrypted and authenticated
    errors, compat    the exception tree; the only file that says "Python 2"

Imports go downwards only: features (sessions to health) know neither the host
nor each other; only boot, supervisor/ and seams/ may name the host.
tests/test_architecture.py holds us to it. Importing this package does nothing.
"""

__version__ = '0.1.0'
