# -*- coding: utf-8 -*-
"""A transaction's BEGIN travels with its first statement: a round trip less in each transaction.

psycopg2 sends BEGIN, waits for the answer, and sends the statement. Here both
are sent as one query, and until that transaction ends psycopg2 is told that it
is in autocommit mode, so that it adds no BEGIN of its own; we end it ourselves,
and put psycopg2 back. What only works inside a transaction that psycopg2 knows
of (named cursors, large objects) makes it know of ours.
"""
from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED,
    ISOLATION_LEVEL_REPEATABLE_READ,
    STATUS_READY,
    TRANSACTION_STATUS_IDLE,
)

#: sent in front of the first statement, by the isolation level that OpenERP has asked for
_OPENINGS = {
    ISOLATION_LEVEL_READ_COMMITTED: "BEGIN ISOLATION LEVEL READ COMMITTED; ",
    ISOLATION_LEVEL_REPEATABLE_READ: "BEGIN ISOLATION LEVEL REPEATABLE READ; ",
}


def in_transaction(connection):
    """Whether a commit has something to send."""
    return connection.is_open or connection.status != STATUS_READY


def beginning_connection(original):
    """A subclass of a psycopg2 connection whose cursors ask `opening()` what to send with a statement."""

    class BeginningConnection(original):

        #: a transaction that we have begun has not ended yet
        is_open = False
        #: the isolation level of its transactions; None: each statement is one
        level = None

        def set_isolation_level(self, level):
            self.rollback()
            super(BeginningConnection, self).set_isolation_level(level)
            self.level = level

        def begin_autocommit(self):
            """Each statement for itself from here on."""
            self.rollback()
            self._stand_back()
            self.level = None

        def opening(self):
            """What to send in front of the next statement: '', or a BEGIN.

            The statement must follow; when it raises, call opening_failed().
            """
            if self.is_open or self.level not in _OPENINGS or (
                    self.get_transaction_status() != TRANSACTION_STATUS_IDLE
                    or self.readonly is not None or self.deferrable is not None):
                return ''
            self._stand_back()
            self.is_open = True
            return _OPENINGS[self.level]

        def opening_failed(self):
            """A statement that should bring the BEGIN along has failed: was there a BEGIN?

            None, if psycopg2 did not send it (wrong parameters), or PostgreSQL could not read it (its
            syntax): it takes both or neither. Without this the next statement would be on its own.
            """
            if not self.closed and self.get_transaction_status() == TRANSACTION_STATUS_IDLE:
                self.is_open = False
                self._stand_forward()

        def _stand_back(self):
            """Have psycopg2 begin no transactions. In this order it has nothing to tell the server,

            neither now nor when it goes back.
            """
            if not self.autocommit:
                self.isolation_level = None
                self.autocommit = True

        def known_to_psycopg2(self):
            """From here on psycopg2 takes part in what is open; the server warns of its second BEGIN."""
            if self.is_open and self.status == STATUS_READY:
                self._stand_forward()

        def _stand_forward(self):
            if self.autocommit:
                self.autocommit = False
                self.isolation_level = self.level

        def commit(self):
            if not self._end('COMMIT'):
                super(BeginningConnection, self).commit()

        def rollback(self):
            if not self._end('ROLLBACK'):
                super(BeginningConnection, self).rollback()

        def _end(self, word):
            """End our own transaction; False when there is none, or psycopg2 knows of it, too."""
            if not self.is_open:
                return False
            self.is_open = False
            if self.closed or self.status != STATUS_READY:
                return False
            try:
                if self.get_transaction_status() != TRANSACTION_STATUS_IDLE:  # somebody has sent COMMIT
                    self._stand_back()
                    super(BeginningConnection, self).cursor().execute(word)
            finally:
                if not self.closed:
                    self._stand_forward()
            return True

        def lobject(self, *arguments, **options):
            self.known_to_psycopg2()
            return super(BeginningConnection, self).lobject(*arguments, **options)

    BeginningConnection.__name__ = original.__name__
    return BeginningConnection
