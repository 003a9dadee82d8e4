# -*- coding: utf-8 -*-
"""Counts the SQL statements that reach one database, from PostgreSQL's own log."""
import time


class Statements(object):
    """`with Statements(postgres, database) as statements: ...; statements.count()`.

    Only connections that are opened inside the block are counted: the setting is the database's.
    """

    def __init__(self, postgres, database):
        self._postgres, self._database, self._start = postgres, database, 0

    def __enter__(self):
        self._postgres.query('ALTER DATABASE "%s" SET log_statement = \'all\'' % self._database)
        self._start = len(self._postgres.log())
        return self

    def __exit__(self, *_exception):
        self._postgres.query('ALTER DATABASE "%s" RESET log_statement' % self._database)

    def count(self):
        """How many so far, transaction control not counted."""
        time.sleep(0.2)  # the log is written by another process
        mark, found = ' %s LOG:  statement: ' % self._database, 0
        for line in self._postgres.log()[self._start:].splitlines():
            if mark in line:
                word = line.split(mark)[1].split(' ')[0].upper()
                found += word not in ('BEGIN', 'COMMIT', 'ROLLBACK', 'BEGIN;', 'SHOW')
        return found
