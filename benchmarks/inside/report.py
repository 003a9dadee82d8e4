# -*- coding: utf-8 -*-
"""Measuring in turns inside one process, and telling the result. Python 2.7 and 3."""
import json
import sys
import time
import timeit

MARK = 'RESULT '


def in_turns(cases, rounds, count):
    """{name: [seconds per call, one per round]} of {name: function}, A B C A B C ...

    :param count: calls per round, or {name: calls per round}
    """
    found = dict((name, []) for name in cases)
    for _round in range(rounds):
        for name in sorted(cases):
            number = count[name] if isinstance(count, dict) else count
            found[name].append(timeit.timeit(cases[name], number=number, timer=time.time) / number)
    return found


def scaled(found, factor):
    """The same figures in another unit."""
    return dict((name, [factor * each for each in values]) for name, values in found.items())


def tell(series):
    """Print the result: a list of triples (name, unit, {system: figures})."""
    sys.__stdout__.write(MARK + json.dumps({'series': series}) + '\n')
    sys.__stdout__.flush()


def read(printed):
    """The series in what such a process has printed. ValueError when there are none."""
    for line in printed.splitlines():
        if line.startswith(MARK):
            return json.loads(line[len(MARK):])['series']
    raise ValueError("no result; the last words were: %s" % printed[-1500:])
