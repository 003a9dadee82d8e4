# -*- coding: utf-8 -*-
"""One run of the suite: series of samples, remarks, machine; kept as JSON."""
import json
import os
import time

from . import figures

FORMAT = 1
#: the system that every other is held against, unless a series says otherwise
STOCK = 'stock'


class Series(object):
    """One thing measured on several systems, in turns.

    :ivar part: the benchmark that measured it, such as 'requests'
    :ivar name: what was measured, such as 'XML-RPC search'
    :ivar unit: such as 'req/s'
    :ivar higher_is_better: what a greater figure means; None when neither
    :ivar samples: {system: [figure per turn]}, in the order in which systems are shown
    :ivar baseline: the system that ratios refer to; None: no ratios
    """

    def __init__(self, part, name, unit, higher_is_better=None, samples=None, baseline=STOCK, note=''):
        self.part, self.name, self.unit = part, name, unit
        self.higher_is_better, self.baseline, self.note = higher_is_better, baseline, note
        self.samples = dict(samples or {})

    def add(self, system, figure):
        """One more sample of `system`."""
        self.samples.setdefault(system, []).append(figure)

    def summary(self, system):
        """The Summary of a system's samples; None when there are none."""
        found = self.samples.get(system)
        return figures.summary(found) if found else None

    def ratio(self, system):
        """The Ratio of a system to the baseline; None when there is none."""
        baseline = self.samples.get(self.baseline)
        if system == self.baseline or not baseline:
            return None
        return figures.ratio(self.samples.get(system), baseline)

    def as_json(self):
        rounded = dict((system, [float('%.6g' % figure) for figure in figures_of])
                       for system, figures_of in self.samples.items())
        return dict(vars(self), samples=rounded)

    @classmethod
    def from_json(cls, told):
        return cls(**told)


class Run(object):
    """All that one run has found."""

    def __init__(self, quick=False, machine=None):
        self.quick = quick
        self.machine = dict(machine or {})
        self.began = time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())
        self.seconds = {}
        self.remarks = {}
        self.series = []

    def find(self, part, name):
        """The series of that name, or None."""
        for series in self.series:
            if (series.part, series.name) == (part, name):
                return series
        return None

    def of_part(self, part):
        """The series of one part that have samples, in the order in which they were measured."""
        return [series for series in self.series if series.part == part and series.samples]

    def new(self, part, name, unit, **more):
        """A new, empty series."""
        self.series.append(Series(part, name, unit, **more))
        return self.series[-1]

    def remark(self, part, sentence):
        """A sentence to be printed with the part."""
        if sentence not in self.remarks.setdefault(part, []):
            self.remarks[part].append(sentence)

    def as_json(self):
        return {'format': FORMAT, 'quick': self.quick, 'machine': self.machine, 'began': self.began,
                'seconds': self.seconds, 'remarks': self.remarks,
                'series': [series.as_json() for series in self.series]}

    def save(self, path):
        """Write it, whole or not at all."""
        with open(path + '.new', 'w') as stream:
            json.dump(self.as_json(), stream, indent=1)
            stream.write('\n')
        os.replace(path + '.new', path)

    @classmethod
    def from_json(cls, told):
        if told.get('format') != FORMAT:
            raise ValueError("these results have format %s, this suite writes %d"
                             % (told.get('format'), FORMAT))
        run = cls(told['quick'], told['machine'])
        run.began, run.seconds, run.remarks = told['began'], told['seconds'], told['remarks']
        run.series = [Series.from_json(each) for each in told['series']]
        return run

    @classmethod
    def load(cls, path):
        """The run in a file. OSError or ValueError when there is none."""
        with open(path) as stream:
            return cls.from_json(json.load(stream))
