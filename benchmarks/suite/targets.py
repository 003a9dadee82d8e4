# -*- coding: utf-8 -*-
"""What the project promises about speed, and what a run says about it. Nothing fails here."""
import collections

from .workloads import AS_SHIPPED, SHORT, STATIC

#: the system that the promises are about: as many workers as stock, on one node
OURS = ('ours', 'ours 1x4')

#: kept: True, False, or None when the run did not measure it
Verdict = collections.namedtuple('Verdict', 'target measured kept')


def verdicts(run):
    """Every target with what was measured; the worst case counts."""
    return [
        _at_least(run, "at least 1.3 times stock on short RPCs", 1.3, 'requests', lambda name: name in SHORT),
        _at_least(run, "never below stock on any workload", 1.0, 'requests', lambda name: True),
        _at_least(run, "2 times stock on static files, behind the nginx we describe, which keeps them", 2.0,
                  'requests', lambda name: name.endswith(AS_SHIPPED)),
        _at_least(run, "2 times stock on static files, answered by a worker", 2.0, 'requests',
                  lambda name: name in STATIC),
        _at_most(run, "a hit in the first level of the ormcache costs at most 1/3 of stock's", 1 / 3.0,
                 'ormcache', lambda name: name.startswith('a hit')),
        _at_most(run, "a session costs no more than in stock's files", 1.0, 'sessions',
                 lambda name: name.startswith('open + close,')),
        _at_most(run, "PSS per worker at most 1/2 of stock's", 0.5, 'boot',
                 lambda name: name.startswith('PSS per HTTP worker')),
        _at_most(run, "the first request of a new worker takes at most 1/5 of stock's", 0.2, 'boot',
                 lambda name: name.startswith('first request')),
        _redis_commands(run, 2.0),
    ]


def _ratios(run, part, wanted):
    for series in run.of_part(part):
        for system in OURS:
            ratio = series.ratio(system) if wanted(series.name) else None
            if ratio:
                yield series.name, ratio


def _at_least(run, target, limit, part, wanted):
    return _verdict(target, sorted(_ratios(run, part, wanted), key=lambda pair: pair[1].value),
                    lambda ratio: ratio.value >= limit)


def _at_most(run, target, limit, part, wanted):
    return _verdict(target, sorted(_ratios(run, part, wanted), key=lambda pair: -pair[1].value),
                    lambda ratio: ratio.value <= limit)


def _verdict(target, found, keeps):
    """`found` is in the order of badness."""
    if not found:
        return Verdict(target, "not measured", None)
    missed = [name for name, ratio in found if not keeps(ratio)]
    name, ratio = found[0]
    measured = "worst of %d: %.2f× (%.2f–%.2f), %s" % (len(found), ratio.value, ratio.low, ratio.high, name)
    if len(missed) > 1:
        measured += "; also missed: " + ', '.join(
            '%s %.2f×' % (other, value.value) for other, value in found[1:] if other in missed)
    return Verdict(target, measured, not missed)


def _redis_commands(run, limit):
    target = "at most %d Redis commands per ordinary signed-in request" % limit
    found = [(max(series.samples[system]), series.name) for series in run.of_part('redis')
             for system in OURS if series.unit == 'commands per request' and series.samples.get(system)]
    if not found:
        return Verdict(target, "not measured", None)
    worst, name = max(found)
    return Verdict(target, "worst of %d: %.2f, %s" % (len(found), worst, name), worst <= limit)
