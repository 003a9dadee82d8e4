# -*- coding: utf-8 -*-
"""One row per `[cluster]` setting. docs/reference.md is generated from this table.

A row is all there is to a setting: the loader, `oe-cluster-launch config`,
`--check`, the reference page and the environment variables all read it here.
"""
from oe_cluster_launch.settings.kinds import (
    Boolean,
    Choice,
    Duration,
    HostPort,
    Integer,
    Network,
    Path,
    RedisUrl,
    Size,
    Text,
    Words,
)


class Setting(object):
    """One setting: what it is called, what it accepts, what it is for.

    :ivar default: as an operator would write it in the file, or None for "not set"
    :ivar aliases: established environment variables that are honoured too
    :ivar secret: its value is never shown
    """

    def __init__(self, name, default, kind, help, group, aliases=(), secret=False):
        self.name = name
        self.default = default
        self.kind = kind
        self.help = help
        self.group = group
        self.aliases = aliases
        self.secret = secret

    @property
    def environment_name(self):
        return 'OE_CLUSTER_%s' % self.name.upper()


_NAME = r'^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'
_NAME_ACCEPTS = "accepted are up to 63 letters, digits, '.', '_' and '-'"

NODE = [
    Setting('node_name', None, Text(_NAME, _NAME_ACCEPTS),
            "Name of this node, unique in the cluster. Default: host name and HTTP port.", 'node'),
    Setting('user', None, Text(),
            "User to become when started as root. OpenERP refuses to run as root.", 'node'),
    Setting('group', None, Text(),
            "Group to become when started as root. Default: the user's own.", 'node'),
]

REDIS = [
    Setting('redis_url', 'redis://127.0.0.1:6379/0', RedisUrl(),
            "The one Redis of the cluster. Ignored when redis_sentinels is set, "
            "except for its user, password and database number.", 'redis',
            aliases=('ODOO_SESSION_REDIS_URL',), secret=False),
    Setting('redis_username', None, Text(),
            "ACL user, when the URL names none.", 'redis'),
    Setting('redis_password', None, Text(),
            "Password, when the URL holds none.", 'redis',
            aliases=('ODOO_SESSION_REDIS_PASSWORD',), secret=True),
    Setting('redis_prefix', 'oe',
            Text(r'^[^\s{}*?\[\]]{1,64}$',
                 "accepted are up to 64 characters without spaces, braces or wildcards"),
            "First part of every key, so that several clusters can share one Redis.", 'redis',
            aliases=('ODOO_SESSION_REDIS_PREFIX',)),
    Setting('redis_sentinels', '', Words(HostPort(), "accepted is a list of host:port, separated by commas"),
            "Sentinels to ask for the current Redis master.", 'redis'),
    Setting('redis_sentinel_master', 'mymaster', Text(_NAME, _NAME_ACCEPTS),
            "Name the Sentinels know the master by.", 'redis',
            aliases=('ODOO_SESSION_REDIS_SENTINEL_MASTER_NAME',)),
    Setting('redis_sentinel_password', None, Text(),
            "Password of the Sentinels themselves.", 'redis', secret=True),
    Setting('redis_tls_ca_file', None, Path(),
            "Certificate authority that signed the server's certificate (rediss://).", 'redis'),
    Setting('redis_tls_cert_file', None, Path(),
            "Our own certificate, when the server asks for one.", 'redis'),
    Setting('redis_tls_key_file', None, Path(),
            "Private key of redis_tls_cert_file.", 'redis'),
    Setting('redis_timeout', '1s', Duration(0.05, 30),
            "Longest wait for one answer of Redis, and for a connection.", 'redis'),
    Setting('redis_faults', 'warn', Choice('warn', 'refuse'),
            "What to do at boot when Redis may lose sessions: evicting policy, no persistence.", 'redis'),
]

SECURITY = [
    Setting('secret_key_file', '/etc/oe-cluster/secret.key', Path(),
            "File with the keys that seal what goes to Redis. The same on every node, mode 0600.",
            'security'),
    Setting('unpickle_allow', '', Words(Text(r'^[A-Za-z_][\w.]*:[A-Za-z_]\w*$'),
                                        "accepted is a list of module:class, separated by commas"),
            "Further classes that sessions may hold, for addons that put their own there.", 'security'),
]

SESSIONS = [
    Setting('shared_sessions', 'on', Boolean(),
            "Keep sessions in Redis. off: on this node's disk, as stock; then nginx must be sticky.",
            'sessions'),
    Setting('session_ttl', '7d', Duration(60),
            "A signed-in session ends this long after its last use.", 'sessions',
            aliases=('ODOO_SESSION_REDIS_EXPIRATION',)),
    Setting('session_anonymous_ttl', '3h', Duration(60),
            "A session in which nobody signed in ends this long after its last use.", 'sessions',
            aliases=('ODOO_SESSION_REDIS_EXPIRATION_ANONYMOUS',)),
    Setting('session_touch_seconds', '5m', Duration(0),
            "A session's remaining life is renewed at most this often.", 'sessions'),
    Setting('session_untouched_paths', '/longpolling', Words(Path(), "accepted is a list of URL paths"),
            "URLs that start like this do not prolong a session: what a browser asks by itself.",
            'sessions'),
]

ORMCACHE = [
    Setting('local_ormcache', 'on', Boolean(),
            "Replace OpenERP's own cache of method results by a faster one. off: OpenERP's own, for "
            "comparison.", 'ormcache'),
    Setting('ormcache_entries', '100000', Integer(100, 100000000),
            "Most results that one process keeps for one database.", 'ormcache'),
    Setting('shared_ormcache', 'on', Boolean(),
            "Share results between all workers of all nodes, through Redis. Needs local_ormcache.",
            'ormcache'),
    Setting('ormcache_ttl', '1h', Duration(60),
            "Shared results of a database that nobody asks for are forgotten after this long.", 'ormcache'),
    Setting('ormcache_limit', '16M', Size(),
            "Most bytes of shared results per database, in Redis.", 'ormcache'),
    Setting('ormcache_value_limit', '64K', Size(),
            "A result larger than this is not shared.", 'ormcache'),
    Setting('ormcache_timeout', '100ms', Duration(0.01, 5),
            "Longest wait for Redis before a request does without the shared results.", 'ormcache'),
]

SUPERVISOR = [
    Setting('preload', 'on', Boolean(),
            "Load OpenERP and the registries of the configured databases once, before workers fork.",
            'supervisor'),
    Setting('refresh_interval', '5s', Duration(0, 3600),
            "A preloaded master whose registries another process has changed is replaced by a "
            "rolling reload; this is how often it looks. 0 turns that off.", 'supervisor'),
    Setting('drain_seconds', '0', Duration(0, 3600),
            "At a stop, /_cluster/ready answers 503 for this long before the port closes. More than "
            "two intervals of your load balancer's health check; nginx without one needs none.",
            'supervisor'),
    Setting('graceful_timeout', '30s', Duration(0, 3600),
            "At a stop or reload, requests in flight get this long to finish.", 'supervisor'),
    Setting('backlog', '2048', Integer(64, 65535),
            "Connections that may wait while all workers are busy.", 'supervisor'),
    Setting('limit_body', '128M', Size(),
            "Largest request body; a larger one is answered 413. 0 is no limit.", 'supervisor'),
    Setting('limit_headers', '100', Integer(10, 1000),
            "Most header lines of a request; more are answered 400.", 'supervisor'),
    Setting('client_timeout', '30s', Duration(1, 3600),
            "A client that sends or takes nothing for this long is dropped. nginx buffers slow "
            "ones.", 'supervisor'),
    Setting('trusted_proxies', '', Words(Network(), "accepted is a list of addresses and networks, "
                                         "such as 10.0.0.5, 10.1.0.0/16"),
            "Proxies whose X-Forwarded-* headers count, when proxy_mode is on. "
            "Empty: whoever connects, and of X-Forwarded-For only the last entry, as stock.",
            'supervisor'),
    Setting('log_format', 'text', Choice('text', 'json'),
            "text: OpenERP's own format. json: one object a line, with node, user and request id.",
            'supervisor'),
    Setting('metrics', 'on', Boolean(),
            "Count, and show it to Prometheus at /_cluster/metrics.", 'supervisor'),
    Setting('statsd_host', None, HostPort(),
            "Also send gunicorn's own figures to this statsd, by UDP.", 'supervisor'),
    Setting('statsd_prefix', '', Text(),
            "What their names begin with.", 'supervisor'),
    Setting('access_log', 'off', Boolean(),
            "One line per request in this node's log. nginx writes an access log anyway.",
            'supervisor'),
]

CRON = [
    Setting('cron', 'auto', Choice('auto', 'never'),
            "auto: this node may run the scheduled jobs. never: it leaves them to the others.", 'cron'),
    Setting('cron_priority', '100', Integer(0, 1000),
            "When the lead is free, nodes with a higher number go first. It never takes the lead away.",
            'cron'),
    Setting('cron_lease_ttl', '10s', Duration(1, 300),
            "The lead of a node that vanished is free again after this long.", 'cron'),
    Setting('cron_renew_interval', '3s', Duration(0.1, 100),
            "The leader renews its lease, and every node its membership, this often.", 'cron'),
    Setting('cron_lease_margin', '2s', Duration(0.2, 60),
            "The leader counts its lease as over this long before Redis does. Longer than redis_timeout.",
            'cron'),
    Setting('cron_stop_timeout', '2s', Duration(0, 60),
            "When the lease is lost, cron workers get this long between SIGTERM and SIGKILL.", 'cron'),
    Setting('cron_poll_interval', '1500ms', Duration(0.2, 60),
            "A job that somebody makes due is seen within this long. Known due times are met anyway.",
            'cron'),
    Setting('limit_time_cron_cpu', '1h', Duration(0),
            "Processor time one scheduled job may use; 0 is no limit.", 'cron'),
    Setting('limit_time_cron_real', '2h', Duration(0),
            "Time one scheduled job may take; 0 is no limit. Sleep between jobs does not count.", 'cron'),
    Setting('limit_memory_cron', '0', Size(),
            "Resident memory after which a cron worker is replaced, between jobs; "
            "0 is the host's limit_memory_soft.", 'cron'),
]

REPORTS = [
    Setting('shared_reports', 'on', Boolean(),
            "Keep rendered reports in Redis, for any node to deliver. off: in one worker, as stock.",
            'reports'),
    Setting('report_ttl', '15m', Duration(60),
            "A report that nobody has fetched is forgotten after this long.", 'reports'),
    Setting('report_limit', '32M', Size(),
            "Largest report that is kept; a larger one fails with a clear message. 0 is no limit.",
            'reports'),
]

FILES = [
    Setting('shared_paths', '', Words(Path(), "accepted is a list of absolute paths, separated by commas"),
            "Folders mounted alike on all nodes, such as the one of `file:` attachments. Each node verifies "
            "at its start that it finds there what the others have written.", 'files'),
    Setting('local_attachments', 'warn', Choice('warn', 'refuse'),
            "What to do at boot when attachments are kept as files outside shared_paths, where other nodes "
            "do not find them.", 'files'),
]

CLUSTER = [
    Setting('member_ttl', '15s', Duration(2, 3600),
            "A node that has not been heard of for this long is no longer a member.", 'cluster'),
    Setting('join_mismatch', 'refuse', Choice('refuse', 'warn'),
            "A node with another OpenERP version or another PostgreSQL than the members: "
            "do not start it, or only warn.", 'cluster'),
]

STATUS = [
    Setting('status_port', None, Integer(0, 65535),
            "Port on which this node tells how it is, whatever its HTTP workers do: /_cluster/ and "
            "/web/health. Default: xmlrpc_port + 1000. 0: only the HTTP workers tell it.", 'status'),
    Setting('status_interface', None, Text(),
            "Address to listen on for that. Default: that of xmlrpc_interface.", 'status'),
    Setting('status_networks', '127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7, '
            'fe80::/10', Words(Network(), "accepted is a list of addresses and networks, such as "
                               "10.0.0.5, 10.1.0.0/16"),
            "Who may ask, on either port; anybody else gets 403. Behind nginx both nginx and its client "
            "must be in here.", 'status'),
]

TABLE = NODE + REDIS + SECURITY + SESSIONS + ORMCACHE + REPORTS + FILES + SUPERVISOR + CRON + CLUSTER + STATUS
BY_NAME = {setting.name: setting for setting in TABLE}
