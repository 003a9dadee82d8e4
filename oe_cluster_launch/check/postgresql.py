# -*- coding: utf-8 -*-
"""PostgreSQL: reached, new enough, writable, the right rights, enough connections for all nodes."""
from oe_cluster_launch.check.result import fail, from_faults, ok, warn
from oe_cluster_launch.errors import LaunchError

#: pg_stat_activity.state, and the right to end sessions of one's own role
OLDEST_VERSION = 90200
#: from here on it tells its system identifier, by which nodes know that they share it
TELLING_VERSION = 90600
#: a request or cron job holds one connection, and often a second one for a moment
PEAK_PER_DATABASE = 2
#: what the cron agent and the watcher of each node hold
SUPERVISION = 1


def server(context):
    """Some database of it can be opened with the node's credentials."""
    connection = context.connect()
    try:
        parameters = connection.get_dsn_parameters()
        return ok("answers at %s:%s, user %s" % (parameters.get('host', 'the local socket'),
                                                 parameters['port'], parameters['user']))
    finally:
        connection.close()


def databases(context):
    """Every database of db_name can be opened."""
    from oe_cluster_launch.seams.openerp7 import postgres
    names = context.host.databases()
    if not names:
        return ok("db_name names none: every database that dbfilter shows is served, none is preloaded "
                  "and cron looks for all")
    return from_faults(postgres.faults(context.host.config, names), "can be opened: %s" % ', '.join(names))


def version(context):
    """New enough."""
    connection = context.connect()
    try:
        return judge_version(connection.server_version)
    finally:
        connection.close()


def judge_version(number):
    """The result for a version as PostgreSQL counts it, such as 150003."""
    if number < OLDEST_VERSION:
        return fail("PostgreSQL %s is too old" % _shown(number), "Use 9.2 or later")
    if number < TELLING_VERSION:
        return warn("PostgreSQL %s does not tell its identifier: a node that uses another PostgreSQL by "
                    "mistake is not found out" % _shown(number), "Use 9.6 or later")
    return ok("PostgreSQL %s" % _shown(number))


def writable(context):
    """No standby, and not set read-only."""
    rows = context.ask_postgres("SELECT pg_is_in_recovery(), current_setting('transaction_read_only')")
    standby, read_only = rows[0]
    if standby:
        return fail("is a standby, which nobody can write to", "Let db_host and db_port name the primary",
                    'db_host', context.host.config['db_host'] or 'the local socket')
    if read_only == 'on':
        return fail("is on for this user: nothing can be written",
                    "ALTER ROLE ... RESET default_transaction_read_only, or mend postgresql.conf",
                    'default_transaction_read_only', 'on')
    return ok("takes writes")


def role(context):
    """What the user may do in the whole server: create databases, and not everything."""
    rows = context.ask_postgres("SELECT current_user, rolsuper, rolcreatedb FROM pg_roles "
                                "WHERE rolname = current_user")
    name, is_superuser, may_create = rows[0]
    if is_superuser:
        return warn("is a superuser: a fault in OpenERP reaches all databases and files of the server",
                    "ALTER ROLE \"%s\" NOSUPERUSER CREATEDB" % name, 'db_user', name)
    if not may_create:
        return warn("may not create databases: the database manager cannot create, duplicate or restore any",
                    "ALTER ROLE \"%s\" CREATEDB" % name, 'db_user', name)
    return ok("%s may create databases and is no superuser" % name)


_RIGHTS = """
    SELECT has_schema_privilege('public', 'CREATE'), count(c.oid), min(pg_get_userbyid(c.relowner)::text)
      FROM pg_namespace n
      LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'v', 'S')
                          AND NOT pg_has_role(c.relowner, 'MEMBER')
     WHERE n.nspname = 'public'"""


def rights(context):
    """In each database the user owns the tables and may create some: updates and cron's fence need it."""
    names = context.host.databases()
    return [result for name in names for result in _rights_in(context, name)] or [
        ok("db_name names no database to look into")]


def _rights_in(context, name):
    may_create, strangers, owner = context.ask_postgres(_RIGHTS, database=name)[0]
    user = context.host.config['db_user'] or 'the user of the node'
    if not may_create:
        yield fail("%s may not create tables in schema public" % user,
                   "In that database: GRANT CREATE, USAGE ON SCHEMA public TO \"%s\"" % user, 'db_name', name)
    if strangers:
        yield fail("%d tables or sequences belong to %s: updates of modules will fail" % (strangers, owner),
                   "In that database: REASSIGN OWNED BY \"%s\" TO \"%s\"" % (owner, user), 'db_name', name)
    if may_create and not strangers:
        yield ok("%s: tables can be created, none belongs to somebody else" % name)


class Budget(object):
    """Connections of all nodes against those that PostgreSQL has.

    :param nodes: HTTP workers of each node
    :param cron_workers: of the one node that leads
    :param limit: db_maxconn, the most that one process opens
    :param available: connections that PostgreSQL has for this user
    """

    def __init__(self, nodes, cron_workers, databases, limit, available):
        self.nodes = list(nodes)
        self.databases = databases
        self.limit = limit
        self.available = available
        self.processes = sum(self.nodes) + len(self.nodes) * SUPERVISION + cron_workers

    @property
    def held(self):
        """By processes that have been used: one per process and database."""
        return self.processes * min(self.limit, self.databases)

    @property
    def peak(self):
        """When all are at work."""
        return self.processes * min(self.limit, PEAK_PER_DATABASE * self.databases)

    @property
    def sentence(self):
        return ("nodes: %d, processes: %d, databases: %d; they hold up to %d connections, at a peak %d, and "
                "%d are available" % (len(self.nodes), self.processes, self.databases, self.held, self.peak,
                                      self.available))


def budget(context):
    """Enough connections for nodes x workers x databases."""
    most, reserved, others, role_limit = context.ask_postgres(
        "SELECT current_setting('max_connections')::int, "
        "current_setting('superuser_reserved_connections')::int, "
        "(SELECT count(*) FROM pg_stat_activity WHERE usename <> current_user), "
        "(SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user)")[0]
    available = most - reserved - others
    if role_limit >= 0:
        available = min(available, role_limit)
    host = context.host
    found = Budget(node_workers(context), int(host.config['max_cron_threads'] or 0),
                   len(host.databases()) or 1, int(host.config['db_maxconn'] or 64), available)
    needed = most - available
    remedy = ("Set max_connections to %d or more and restart PostgreSQL, or lower workers in [options]"
              % (found.peak + needed))
    if role_limit >= 0:
        remedy = "ALTER ROLE ... CONNECTION LIMIT -1; then run the check again"
    if found.held > available:
        return fail(found.sentence, remedy, 'max_connections', most)
    if found.peak > available:
        return warn(found.sentence, remedy, 'max_connections', most)
    return ok(found.sentence)


def node_workers(context):
    """HTTP workers of each node: this one's options, the others' records, or as many as planned."""
    mine = context.host.workers
    if context.planned_nodes:
        return [mine] * context.planned_nodes
    try:
        others = context.others()
    except LaunchError:  # Redis has checks of its own
        others = []
    return [mine] + [int(member.get('workers') or mine) for member in others]


def _shown(number):
    """150003 as 15.3, 90624 as 9.6.24."""
    if number >= 100000:
        return '%d.%d' % (number // 10000, number % 10000)
    return '%d.%d.%d' % (number // 10000, number // 100 % 100, number % 100)
