# -*- coding: utf-8 -*-
"""The JSON that answers "how are you": application/health+json. Pure functions.

The format is that of draft-inadarei-api-health-check-06: a status (pass, warn,
fail) and the checks it follows from. A warning is no reason to send no clients:
only `fail` is answered 503.
"""
import json
import time

PASS, WARN, FAIL = 'pass', 'warn', 'fail'
_WORST_LAST = (PASS, WARN, FAIL)
CONTENT_TYPE = 'application/health+json'


def check(name, status, component_type, value=None, unit=None, output=None, at=None):
    """One check; `name` is `component:measurement`, `at` seconds since the epoch (now)."""
    found = {'componentType': component_type, 'status': status, 'time': moment(at)}
    for key, given in (('observedValue', value), ('observedUnit', unit)):
        if given is not None:
            found[key] = given
    if output and status != PASS:
        found['output'] = output
    return name, found


def document(node, version, checks):
    """The answer as a dictionary, from what :func:`check` has made."""
    status = worst(found['status'] for _, found in checks)
    answer = {'status': status, 'serviceId': node, 'releaseId': version,
              'checks': dict((name, [found]) for name, found in checks)}
    outputs = [found['output'] for _, found in checks if found['status'] == status and 'output' in found]
    if outputs:
        answer['output'] = '; '.join(outputs)
    return answer


def worst(statuses):
    """The worst of some statuses; pass when there are none."""
    return max(list(statuses) or [PASS], key=_WORST_LAST.index)


def as_json(value):
    """As the body of an answer."""
    return json.dumps(value, indent=1, sort_keys=True, separators=(',', ': ')) + '\n'


def moment(seconds=None):
    """A time as RFC 3339 has it."""
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds))
