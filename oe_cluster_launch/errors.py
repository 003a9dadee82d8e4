# -*- coding: utf-8 -*-
"""Every error the launcher can report, and the exit code each one ends with.

One tree, so that `except LaunchError` at the top of `cli.py` turns every
fault an operator can cause into one sentence and one documented exit code.
The codes are those of sysexits.h, which systemd and shells already know.
A traceback therefore always means a bug of ours, never an operator's mistake.
"""

#: the numbers of sysexits.h that we use; docs/reference.md lists them
EXIT_OK = 0
EXIT_FAILURE = 1           # the work itself failed: an update, a test, a check
EXIT_USAGE = 64            # wrong command line
EXIT_UNAVAILABLE = 69      # PostgreSQL or Redis cannot be reached, or is not fit for use
EXIT_SOFTWARE = 70         # the host refused: a seam does not fit, no worker can boot
EXIT_NO_PERMISSION = 77    # root, a file that others may read, a user that does not exist
EXIT_CONFIGURATION = 78    # a setting is wrong; systemd must not restart us


class LaunchError(Exception):
    """Something an operator can mend. Its text names the thing and the remedy."""

    exit_code = EXIT_FAILURE


class UsageError(LaunchError):
    """The command line asks for something that does not exist."""

    exit_code = EXIT_USAGE


class Fault(object):
    """One wrong setting: which key, what was found, what is accepted, what to do."""

    def __init__(self, key, value, accepted, remedy):
        self.key = key
        self.value = value
        self.accepted = accepted
        self.remedy = remedy

    def __str__(self):
        return "%s = %s: %s. %s" % (self.key, self.value, self.accepted, self.remedy)

    def __repr__(self):
        return "<Fault %s>" % self


class ConfigurationError(LaunchError):
    """One or more settings are wrong. All of them are reported at once.

    :ivar faults: the list of :class:`Fault`, in the order of the settings table
    :ivar settings: what could be read, with None for each wrong setting, if anything could
    """

    exit_code = EXIT_CONFIGURATION

    def __init__(self, faults, source=None, settings=None):
        self.faults = list(faults)
        self.settings = settings
        self.source = source
        super(ConfigurationError, self).__init__(self._sentence())

    def _sentence(self):
        count = len(self.faults)
        head = "%d configuration fault%s" % (count, "" if count == 1 else "s")
        if self.source:
            head += " in %s" % self.source
        return "\n".join([head + ":"] + ["  %s" % fault for fault in self.faults])


class PermissionRefused(LaunchError):
    """Started as root without `user`, or a secret that others can read."""

    exit_code = EXIT_NO_PERMISSION


class ServiceUnavailable(LaunchError):
    """A server we need does not answer, or is not fit for its use."""

    exit_code = EXIT_UNAVAILABLE


class RedisUnavailable(ServiceUnavailable):
    """Redis did not answer in time, refused us, or the circuit breaker is open."""


class PostgresUnavailable(ServiceUnavailable):
    """PostgreSQL did not answer or refused us."""


class AddressUnavailable(ServiceUnavailable):
    """The port is in use, or the interface is none of this machine's."""


class HostMismatch(LaunchError):
    """The host is not the OpenERP that the seam table was written for."""

    exit_code = EXIT_SOFTWARE


class HostFailure(LaunchError):
    """The host is the right one but failed to load, update or pass its tests."""

    exit_code = EXIT_FAILURE


class BootFailure(LaunchError):
    """No worker could ever boot."""

    exit_code = EXIT_SOFTWARE


class SealError(LaunchError):
    """A value from Redis was not sealed by us, or not for this place. Never unpickled."""
