# -*- coding: utf-8 -*-
"""The doctor's answer as text: a table with remedies, and JSON. Pure functions."""
import json
import textwrap

from oe_cluster_launch.check.result import FAIL, OK, SKIP, WARN
from oe_cluster_launch.compat import to_text

_WIDTH = 110
_INDENT = 28
_COUNTED = ((OK, "ok"), (WARN, "warnings"), (FAIL, "failed"), (SKIP, "not looked at"))


def area_lines(area, outcomes):
    """The lines of one area, its name above."""
    yield to_text(area)
    for outcome in outcomes:
        for result in outcome.results:
            start = u'  %-6s%-*s' % (result.status, _INDENT - 8, to_text(outcome.check.name))
            for line in _wrapped(to_text(result.sentence), start):
                yield line
            if result.remedy and result.status in (WARN, FAIL):
                for line in _wrapped(u'remedy: ' + to_text(result.remedy), u' ' * _INDENT):
                    yield line


def _wrapped(text, start):
    return textwrap.wrap(u' '.join(text.split()), _WIDTH, initial_indent=start,
                         subsequent_indent=u' ' * _INDENT, break_long_words=False, break_on_hyphens=False)


def counts(outcomes):
    """How many results there are of each status."""
    found = [result.status for outcome in outcomes for result in outcome.results]
    return dict((status, found.count(status)) for status, _ in _COUNTED)


def summary(outcomes):
    """The last line."""
    counted = counts(outcomes)
    return ', '.join('%d %s' % (counted[status], words) for status, words in _COUNTED if counted[status])


def as_json(outcomes, exit_code):
    """{"exit_code", "counts", "checks": [{"area", "check", "status", "found", "remedy", ...}]}."""
    checks = [{'area': outcome.check.area, 'check': outcome.check.name, 'status': result.status,
               'found': to_text(result.sentence), 'remedy': to_text(result.remedy),
               'setting': to_text(result.key), 'seconds': round(outcome.seconds, 3)}
              for outcome in outcomes for result in outcome.results]
    return json.dumps({'exit_code': exit_code, 'counts': counts(outcomes), 'checks': checks},
                      indent=2, sort_keys=True, separators=(',', ': '))
