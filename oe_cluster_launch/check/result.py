# -*- coding: utf-8 -*-
"""What one check found. Plain values, so that they pass from one process to another as JSON."""
from oe_cluster_launch.errors import Fault

OK, WARN, FAIL, SKIP = 'ok', 'warn', 'fail', 'skip'


class Result(object):
    """One finding.

    :ivar status: `ok`; `warn`: works, but something will be lost or slow one day; `fail`:
        does not work; `skip`: could not be looked at, and `found` says why
    :ivar found: a sentence without its full stop
    :ivar remedy: what to do, for warn and fail
    :ivar key: the setting, option or name at fault, if it is one
    :ivar value: its value
    """

    def __init__(self, status, found, remedy='', key='', value=''):
        self.status = status
        self.found = found
        self.remedy = remedy
        self.key = key
        self.value = value

    @property
    def sentence(self):
        """What was found, with the setting at fault in front."""
        if not self.key or '%s' % self.value in self.found:
            return self.found
        return '%s = %s: %s' % (self.key, self.value, self.found)

    def fault(self, check_name):
        """As an error of the configuration, for `--check`."""
        return Fault(self.key or check_name, self.value, self.found, self.remedy)

    def __repr__(self):
        return '<%s %s>' % (self.status, self.sentence)


def ok(found):
    return Result(OK, found)


def warn(found, remedy, key='', value=''):
    return Result(WARN, found, remedy, key, value)


def fail(found, remedy, key='', value=''):
    return Result(FAIL, found, remedy, key, value)


def skip(found):
    return Result(SKIP, found)


def from_fault(fault, judge=fail):
    """A fault of the configuration as a result, `fail` or `warn`."""
    return judge(fault.accepted, fault.remedy, fault.key, fault.value)


def from_faults(faults, good, judge=fail):
    """One `fail` (or `judge`) per fault; without any, `ok` with the sentence `good`."""
    return [from_fault(fault, judge) for fault in faults] or [ok(good)]
