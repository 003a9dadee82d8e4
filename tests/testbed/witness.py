# -*- coding: utf-8 -*-
"""The witness: scheduled jobs that write into PostgreSQL who ran them, when, for which due time.

No addon is needed: a job is a server action whose code inserts a row and
commits it at its start, and completes the row in the job's own transaction at
its end. So a row without an end is a job that was killed or rolled back.
"""
from . import verdict
from .verdict import Execution, Promise

TABLE = """
    CREATE TABLE witness (
        id serial PRIMARY KEY, job varchar, node varchar, term bigint, due timestamp, backend integer,
        started timestamp, ended timestamp);
    CREATE INDEX ON witness (started);
    CREATE TABLE witness_due (job varchar, due timestamp, made timestamp)"""

CODE = """
cr.execute(\"\"\"
    INSERT INTO witness (job, node, term, due, backend, started)
    SELECT '%(name)s', split_part(current_setting('application_name'), ' ', 3),
           split_part(current_setting('application_name'), ' ', 2)::bigint,
           nextcall, pg_backend_pid(), clock_timestamp()
      FROM ir_cron WHERE name = '%(name)s' RETURNING id\"\"\")
execution = cr.fetchone()[0]
cr.commit()
time.sleep(%(seconds)s)
cr.execute("UPDATE witness SET ended = clock_timestamp() WHERE id = %%s", (execution,))
"""


class Witness(object):
    """The witness jobs of one database."""

    def __init__(self, postgres, database):
        self._postgres = postgres
        self.database = database

    def _query(self, sql):
        return self._postgres.query(sql, self.database)

    def install(self):
        """Create the table; silence all jobs that the database came with."""
        self._query("%s; ALTER TABLE witness OWNER TO %s; UPDATE ir_cron SET active = false"
                    % (TABLE, self._postgres.role))
        return self

    def add_job(self, name, seconds=0.0, due_in_seconds=0, every_minutes=1):
        """A job that lasts `seconds`, first due then and after that every so many minutes."""
        code = CODE % {'name': name, 'seconds': seconds}
        self._query("""
            WITH action AS (
                INSERT INTO ir_act_server (name, model_id, state, code, condition, type, usage, sequence)
                SELECT '%(name)s', id, 'code', $witness$%(code)s$witness$, 'True', 'ir.actions.server',
                       'ir_actions_server', 5
                  FROM ir_model WHERE model = 'ir.cron' RETURNING id)
            INSERT INTO ir_cron (name, user_id, active, interval_number, interval_type, numbercall, doall,
                                 nextcall, model, function, args, priority)
            SELECT '%(name)s', 1, true, %(minutes)d, 'minutes', -1, false,
                   date_trunc('second', now() AT TIME ZONE 'UTC') + interval '%(due)d seconds',
                   'ir.actions.server', 'run', '([' || id || '], {})', 5 FROM action""" % {
            'name': name, 'code': code, 'minutes': every_minutes, 'due': due_in_seconds})

    def make_due(self, *names):
        """Make jobs due now, those that are not running and had no such due time yet.

        :returns: the names of those that are due now
        """
        chosen = " AND name IN (%s)" % ', '.join("'%s'" % name for name in names) if names else ''
        return [row[0] for row in self._query("""
            WITH free AS (SELECT id, name FROM ir_cron
                           WHERE active AND nextcall > now() AT TIME ZONE 'UTC'%s FOR UPDATE SKIP LOCKED),
            made AS (UPDATE ir_cron SET nextcall = date_trunc('second', now() AT TIME ZONE 'UTC')
                      WHERE id IN (SELECT id FROM free WHERE NOT EXISTS (
                                SELECT 1 FROM witness WHERE job = free.name
                                   AND due >= date_trunc('second', now() AT TIME ZONE 'UTC')))
                  RETURNING name, nextcall)
            INSERT INTO witness_due SELECT name, nextcall, clock_timestamp() FROM made
            RETURNING job""" % chosen)]

    def now(self):
        """PostgreSQL's clock."""
        return float(self._query("SELECT extract(epoch FROM clock_timestamp())")[0][0])

    def executions(self, job=None, since=0.0):
        """All executions, or those of a job or since a moment, in the order of their start."""
        rows = self._query("""
            SELECT id, job, node, term, extract(epoch FROM due), backend,
                   extract(epoch FROM started), extract(epoch FROM ended)
              FROM witness
             WHERE '%(job)s' IN ('', job) AND started > timestamp 'epoch' + interval '%(since).6f s'
             ORDER BY started""" % {'job': job or '', 'since': since})
        return [Execution(int(row[0]), row[1], row[2], int(row[3]), float(row[4]), int(row[5]),
                          float(row[6]), float(row[7]) if row[7] else None) for row in rows]

    def promises(self):
        """Every due time that `make_due` has set."""
        rows = self._query("SELECT job, extract(epoch FROM due), extract(epoch FROM made) FROM witness_due")
        return [Promise(row[0], float(row[1]), float(row[2])) for row in rows]

    def faults(self):
        """Every way in which the executions break the promises; see `verdict`."""
        return verdict.faults(self.executions())
