# -*- coding: utf-8 -*-
"""One object per metric of a node. docs/reference.md is generated from this table.

Seconds, bytes, and counts; never a name that a client has chosen. Of a label's
values the last one is for whatever is none of the others.
"""
from oe_cluster_launch.metrics.families import Computed, Counter, Gauge, Histogram

_SECONDS = (.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120)
_SHORT_SECONDS = (.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5)
_LONG_SECONDS = (.1, 1, 5, 15, 60, 300, 900, 3600)

KINDS = ('xmlrpc', 'jsonrpc', 'page', 'static', 'webdav', 'cluster', 'refused', 'other')
STATUSES = ('1xx', '2xx', '3xx', '4xx', '5xx', 'gone')
ROLES = ('http worker', 'watcher', 'cron agent', 'cron worker', 'answerer', 'other')
LIMITS = ('limit_time_real', 'limit_time_cpu', 'limit_memory_hard', 'limit_memory_soft', 'limit_request',
          'limit_time_cron_real', 'limit_time_cron_cpu', 'limit_memory_cron', 'limit_body', 'other')
CAUSES = LIMITS[:6] + ('told', 'ended', 'stuck', 'cut off', 'not ready', 'crashed', 'other')

# ---- requests
REQUESTS = Counter(
    'oe_cluster_requests_total',
    "Requests, by kind and class of status. refused: turned away before OpenERP saw them; "
    "gone: the client went away before it had its answer.",
    [('kind', KINDS), ('status', STATUSES)])
REQUEST_SECONDS = Histogram(
    'oe_cluster_request_seconds', "From the first byte of a request to the last of its answer.",
    [('kind', KINDS)], _SECONDS)
REQUEST_REDIS_ROUND_TRIPS = Histogram(
    'oe_cluster_request_redis_round_trips', "Round trips to Redis of one request.",
    [('kind', KINDS[:5] + ('other',))], (0, 1, 2, 3, 4, 6, 8, 12, 20))

# ---- processes
HTTP_WORKERS = Gauge(
    'oe_cluster_http_workers', "HTTP workers, by what they do; of an old master too, while it retires.",
    [('state', ('busy', 'idle', 'starting'))], mode='livesum')
HTTP_WORKERS_WANTED = Gauge(
    'oe_cluster_http_workers_wanted', "HTTP workers there should be.", mode='max')
LARGEST_WORKER_BYTES = Gauge(
    'oe_cluster_largest_worker_bytes', "Resident memory of the largest HTTP worker.", mode='max')
BACKLOG = Gauge(
    'oe_cluster_backlog_connections', "Connections that wait in the kernel until a worker takes them.",
    mode='max')
BACKLOG_LIMIT = Gauge(
    'oe_cluster_backlog_limit', "As many may wait; the setting `backlog`, or less where the kernel says so.",
    mode='max')
PROCESSES_STARTED = Counter(
    'oe_cluster_processes_started_total', "Processes started.", [('role', ROLES)])
PROCESSES_ENDED = Counter(
    'oe_cluster_processes_ended_total',
    "Processes that ended, and why. told: at a stop or reload; stuck: killed because it hung; cut off: not "
    "done within graceful_timeout; not ready: failed at its start; limit_*: left after reaching it.",
    [('role', ROLES), ('cause', CAUSES)])
LIMITS_HIT = Counter(
    'oe_cluster_limits_hit_total', "How often a limit ended a request, a job or a worker.",
    [('limit', LIMITS)])
MASTERS_READY = Counter(
    'oe_cluster_masters_ready_total', "Masters whose workers answer: one at the start, one per reload.")
READY_TIMESTAMP = Gauge(
    'oe_cluster_ready_timestamp_seconds', "When the present master was ready, as Unix time.", mode='max')
DRAINING = Gauge('oe_cluster_draining', "1 while the node is about to stop.", mode='max')
RELOADS_ASKED = Counter(
    'oe_cluster_reloads_asked_total', "Reloads this node asked itself for. registry: a database's models "
    "were changed; call: another node said so.", [('reason', ('registry', 'call'))])
NODE_INFO = Gauge(
    'oe_cluster_node_info', "1; its labels say what this node is, to find nodes that differ.",
    [('node', None), ('version', None), ('host_version', None), ('addons', None), ('key', None)], mode='max')

# ---- sessions
SESSION_OPERATIONS = Counter(
    'oe_cluster_session_operations_total',
    "Sessions opened, written and ended in Redis. unknown: there was none of that id; refused: it did not "
    "pass authentication; unavailable: Redis is away.",
    [('operation', ('open', 'write', 'end')), ('outcome', ('done', 'unknown', 'refused', 'unavailable'))])
SESSION_CONFLICTS = Counter(
    'oe_cluster_session_conflicts_total', "Writes tried again because a parallel request was faster.")

# ---- ormcache
ORMCACHE_LOOKUPS = Counter(
    'oe_cluster_ormcache_lookups_total',
    "Answers of cached methods, by where they came from. local: this process knew; shared: fetched from "
    "Redis for this very call; computed: by OpenERP, from PostgreSQL.",
    [('answered_by', ('local', 'shared', 'computed'))])
ORMCACHE_SHARED = Counter(
    'oe_cluster_ormcache_shared_answers_total', "Answers exchanged through Redis.",
    [('what', ('received', 'sent', 'refused'))])
ORMCACHE_ERRORS = Counter(
    'oe_cluster_ormcache_shared_errors_total', "Exchanges that failed; requests go on without.",
    [('operation', ('read', 'write'))])
ORMCACHE_ENTRIES = Gauge(
    'oe_cluster_ormcache_entries', "Answers kept in memory, over all workers.", mode='livesum')
SIGNALS_SENT = Counter(
    'oe_cluster_signals_sent_total', "Changes told to all workers of all nodes, by PostgreSQL sequence.",
    [('sequence', ('cache', 'registry'))])
INVALIDATIONS = Counter(
    'oe_cluster_invalidations_total', "Changes made elsewhere that a process obeyed. clear: forgot its "
    "cached answers; reload: loaded its models anew.", [('action', ('clear', 'reload'))])
INVALIDATION_LAG_SECONDS = Histogram(
    'oe_cluster_invalidation_lag_seconds',
    "When a process obeys a change made elsewhere: the longest that change can have been waiting here, "
    "that is the time since this process last looked. A request looks before it reads.",
    buckets=_LONG_SECONDS)

# ---- Redis
REDIS_SECONDS = Histogram(
    'oe_cluster_redis_seconds', "One round trip to Redis, answered or not.",
    [('purpose', ('sessions', 'ormcache', 'cron', 'cluster', 'other'))], _SHORT_SECONDS)
REDIS_ERRORS = Counter(
    'oe_cluster_redis_errors_total', "Calls to Redis that failed.",
    [('reason', ('timeout', 'connection', 'authentication', 'permission', 'read only', 'memory', 'other'))])
CIRCUITS_OPEN = Gauge(
    'oe_cluster_circuits_open', "Processes that do without Redis for a while after a failure.",
    [('circuit', ('ormcache read', 'ormcache write', 'statistics', 'other'))], mode='livesum')
REDIS_UP = Gauge('oe_cluster_redis_up', "1 when Redis answered this node's watcher last.", mode='max')
REDIS_EVICTED = Gauge(
    'oe_cluster_redis_evicted_keys', "Keys that the Redis server has deleted to make room, since its start.",
    mode='max')
REDIS_MEMORY = Gauge(
    'oe_cluster_redis_memory_bytes', "Memory of the Redis server: used, and its maxmemory (0: none set).",
    [('what', ('used', 'limit'))], mode='max')

# ---- PostgreSQL
POSTGRES_CONNECTIONS = Gauge(
    'oe_cluster_postgresql_connections',
    "Connections of workers and cron workers, in their pools. idle: nobody uses it now.",
    [('state', ('used', 'idle'))], mode='livesum')
POSTGRES_LIMIT = Gauge(
    'oe_cluster_postgresql_connections_limit',
    "So many the node may open: db_maxconn for each HTTP worker and each cron worker.", mode='max')

# ---- cron and cluster
CRON_LEADER = Computed(
    'oe_cluster_cron_leader', "1 while this node holds the cron lease and its time is not over.")
CRON_LEASE_SECONDS_LEFT = Computed(
    'oe_cluster_cron_lease_seconds_left', "Until this node must renew its cron lease or stop; 0 without one.")
CRON_TERM = Gauge('oe_cluster_cron_term', "Newest term of cron leadership that this node knows.", mode='max')
CRON_LEADS_TAKEN = Counter(
    'oe_cluster_cron_leads_taken_total',
    "Leads this node took. election: the lead was free; failover: from a leader that vanished; recovery: its "
    "own, after its agent died; raised: the same lead under a newer term.",
    [('how', ('election', 'failover', 'recovery', 'raised'))])
CRON_LEADS_ENDED = Counter(
    'oe_cluster_cron_leads_ended_total',
    "Leads this node gave up. released: handed over; abandoned: lost, or not renewed in time.",
    [('how', ('released', 'abandoned'))])
CRON_JOBS = Counter(
    'oe_cluster_cron_jobs_total',
    "Attempts at due jobs. ran: run, OpenERP logs failures; taken: another worker had it; not ours: the lead "
    "was lost meanwhile.", [('outcome', ('ran', 'taken', 'not ours'))])
CRON_JOB_SECONDS = Histogram('oe_cluster_cron_job_seconds', "Duration of one scheduled job.",
                             buckets=_LONG_SECONDS)
MEMBER_REFUSED = Gauge(
    'oe_cluster_member_refused', "1 while this node must not lead because it does not fit with the others.",
    mode='max')

#: recorded, but not shown as it is: until when the lease lasts, on this machine's monotonic clock
LEASE_UNTIL = Gauge('oe_cluster_cron_lease_until', "", mode='max')

SHOWN = [
    REQUESTS, REQUEST_SECONDS, REQUEST_REDIS_ROUND_TRIPS,
    HTTP_WORKERS, HTTP_WORKERS_WANTED, LARGEST_WORKER_BYTES, BACKLOG, BACKLOG_LIMIT,
    PROCESSES_STARTED, PROCESSES_ENDED, LIMITS_HIT, MASTERS_READY, READY_TIMESTAMP, DRAINING, RELOADS_ASKED,
    NODE_INFO,
    SESSION_OPERATIONS, SESSION_CONFLICTS,
    ORMCACHE_LOOKUPS, ORMCACHE_SHARED, ORMCACHE_ERRORS, ORMCACHE_ENTRIES,
    SIGNALS_SENT, INVALIDATIONS, INVALIDATION_LAG_SECONDS,
    REDIS_SECONDS, REDIS_ERRORS, CIRCUITS_OPEN, REDIS_UP, REDIS_EVICTED, REDIS_MEMORY,
    POSTGRES_CONNECTIONS, POSTGRES_LIMIT,
    CRON_LEADER, CRON_LEASE_SECONDS_LEFT, CRON_TERM, CRON_LEADS_TAKEN, CRON_LEADS_ENDED,
    CRON_JOBS, CRON_JOB_SECONDS, MEMBER_REFUSED,
]
TABLE = SHOWN + [LEASE_UNTIL]
