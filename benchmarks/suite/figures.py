# -*- coding: utf-8 -*-
"""Medians, spreads and ratios. Pure functions; valid on Python 2.7 too.

Samples of several systems are taken in turns (A B C A B C ...), so that sample
number n of each saw the same machine. A ratio is the ratio of the medians; its
spread is the least and the greatest ratio among the turns.
"""
import collections

#: `low` and `high` are the least and the greatest sample, `quartiles` the middle half
Summary = collections.namedtuple('Summary', 'median low high quartiles count')
Ratio = collections.namedtuple('Ratio', 'value low high')


def percentile(samples, share):
    """The value below which `share` (0 to 1) of the samples lie, interpolated. ValueError without samples."""
    if not samples:
        raise ValueError("no samples")
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median(samples):
    """The middle one; the mean of the two middle ones of an even number."""
    return percentile(samples, 0.5)


def summary(samples):
    """The :class:`Summary` of samples."""
    return Summary(median(samples), min(samples), max(samples),
                   (percentile(samples, 0.25), percentile(samples, 0.75)), len(samples))


def ratio(samples, baseline):
    """The :class:`Ratio` of two lists of samples that were taken in turns; None when it has no meaning.

    When the lists differ in length the turns cannot be paired: the spread is then that of the extremes.
    """
    if not samples or not baseline or not min(baseline) > 0:
        return None
    if len(samples) == len(baseline):
        turns = [1.0 * one / other for one, other in zip(samples, baseline)]
    else:
        turns = [1.0 * min(samples) / max(baseline), 1.0 * max(samples) / min(baseline)]
    return Ratio(1.0 * median(samples) / median(baseline), min(turns), max(turns))


def overlap(one, other):
    """Whether two (…, low, high) share a value: then their difference may be chance."""
    return one.low <= other.high and other.low <= one.high
