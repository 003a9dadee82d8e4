# -*- coding: utf-8 -*-
"""THE list of checks, in the order an operator reads them. docs/reference.md is generated from it."""
from oe_cluster_launch.check import (
    clocks,
    configuration,
    files,
    front_door,
    key,
    machine,
    nodes,
    postgresql,
    redis_server,
)
from oe_cluster_launch.check.runner import Check

_REDIS = ('redis_url', 'redis_sentinels', 'redis_sentinel_master', 'redis_timeout', 'redis_prefix',
          'redis_tls_ca_file', 'redis_tls_cert_file', 'redis_tls_key_file', 'redis_faults')
_LEASE = ('cron_lease_ttl', 'cron_renew_interval', 'cron_lease_margin', 'cron_stop_timeout', 'member_ttl',
          'redis_timeout')
_OPTIONS = ('configuration options',)
_POSTGRES = ('postgresql server',)
_ON_REDIS = ('redis server',)
_BOTH = _OPTIONS + _ON_REDIS

CHECKS = [
    Check('configuration', 'settings', configuration.settings, at_start=True, here=True),
    Check('configuration', 'account', configuration.account, ('user', 'group'), at_start=True, here=True),
    Check('configuration', 'passwords', configuration.secrets_in_file, after=('configuration account',)),
    Check('configuration', 'cron times', configuration.cron_times, _LEASE, at_start=True),
    Check('configuration', 'openerp', configuration.openerp, at_start=True, here=True),
    Check('configuration', 'options', configuration.options, after=('configuration openerp',), at_start=True),
    Check('configuration', 'port', configuration.port, after=_OPTIONS, at_start=True),
    Check('configuration', 'status port', configuration.status_port, ('status_port', 'status_interface'),
          _OPTIONS, at_start=True),

    Check('postgresql', 'server', postgresql.server, after=_OPTIONS),
    Check('postgresql', 'databases', postgresql.databases, after=_OPTIONS, at_start=True),
    Check('postgresql', 'version', postgresql.version, after=_POSTGRES),
    Check('postgresql', 'writable', postgresql.writable, after=_POSTGRES, at_start=True),
    Check('postgresql', 'role', postgresql.role, after=_POSTGRES),
    Check('postgresql', 'rights', postgresql.rights, after=('postgresql databases',)),
    Check('postgresql', 'connections', postgresql.budget, after=_POSTGRES),

    Check('redis', 'server', redis_server.server, _REDIS, ('configuration settings',), at_start=True),
    Check('redis', 'sentinels', redis_server.sentinels, _REDIS),
    Check('redis', 'version', redis_server.version, after=_ON_REDIS, at_start=True),
    Check('redis', 'policy', redis_server.policy, after=_ON_REDIS, at_start=True),
    Check('redis', 'memory', redis_server.memory, after=_ON_REDIS, at_start=True),
    Check('redis', 'persistence', redis_server.persistence, after=_ON_REDIS, at_start=True),
    Check('redis', 'rights', redis_server.rights, after=_ON_REDIS, at_start=True),
    Check('redis', 'latency', redis_server.latency, ('ormcache_timeout',), _ON_REDIS),

    Check('key', 'file', key.file, ('secret_key_file',) + _REDIS, at_start=True),
    Check('key', 'other nodes', key.same_everywhere, after=('key file',) + _BOTH, at_start=True),

    Check('clock', 'redis', clocks.redis, after=_ON_REDIS),
    Check('clock', 'postgresql', clocks.postgresql, after=_POSTGRES),
    Check('clock', 'other nodes', clocks.nodes, after=_BOTH),

    Check('files', 'shared folders', files.shared_folders, ('shared_paths',), _BOTH + (
        'configuration account',), at_start=True),
    Check('files', 'attachments', files.attachments, ('shared_paths', 'local_attachments'),
          ('postgresql databases',), at_start=True),

    Check('nodes', 'name', nodes.name, ('node_name',), _BOTH, at_start=True),
    Check('nodes', 'alive', nodes.alive, after=_ON_REDIS),
    Check('nodes', 'openerp', nodes.openerp, ('join_mismatch',), _BOTH, at_start=True),
    Check('nodes', 'launcher', nodes.launcher, after=_BOTH),
    Check('nodes', 'addons', nodes.addons, after=_BOTH),
    Check('nodes', 'postgresql', nodes.postgresql, ('join_mismatch',), _BOTH + _POSTGRES, at_start=True),
    Check('nodes', 'databases', nodes.databases, after=_BOTH),

    Check('machine', 'nofile', machine.open_files, after=_OPTIONS),
    Check('machine', 'nproc', machine.processes, after=_OPTIONS),
    Check('machine', 'kernel', machine.kernel),
    Check('machine', 'backlog', machine.backlog, ('backlog',)),

    Check('nginx', 'reached', front_door.reached, after=_OPTIONS),
    Check('nginx', 'proxy_mode', front_door.proxy_mode, after=_OPTIONS),
]
