# -*- coding: utf-8 -*-
"""A run against an earlier one. Ratios are compared, not figures: machines differ."""
import collections

from . import figures

#: verdict: 'better', 'worse', or 'same' when the spreads of both ratios overlap
Change = collections.namedtuple('Change', 'part name system before now verdict')


def changes(before, now):
    """Every ratio that both runs have, as a list of :class:`Change`."""
    found = []
    for series in now.series:
        earlier = before.find(series.part, series.name)
        for system in series.samples if earlier else ():
            old, new = earlier.ratio(system), series.ratio(system)
            if old and new:
                found.append(Change(series.part, series.name, system, old, new,
                                    verdict(old, new, series.higher_is_better)))
    return found


def verdict(old, new, higher_is_better):
    """'same' unless the spreads are apart."""
    if figures.overlap(old, new) or higher_is_better is None:
        return 'same'
    return 'better' if (new.value > old.value) == bool(higher_is_better) else 'worse'


def table(before, now):
    """What changed, as Markdown; what did not is only counted."""
    found = changes(before, now)
    lines = ["Ratios of %s against those of %s. Only what left its spread is shown."
             % (now.began, before.began)]
    if before.quick or now.quick:
        lines.append("A quick run is among them: its spreads are wide.")
    if before.machine.get('processors') != now.machine.get('processors'):
        lines.append("The machines differ: %s, and %s." % (now.machine.get('processors'),
                                                           before.machine.get('processors')))
    changed = [each for each in found if each.verdict != 'same']
    if changed:
        lines += ['', '| part | measured | system | before | now | |', '|---|---|---|---|---|---|']
        lines += ['| %s | %s | %s | %s | %s | %s |' % (each.part, each.name, each.system, _shown(each.before),
                                                       _shown(each.now), each.verdict) for each in changed]
    counts = collections.Counter(each.verdict for each in found)
    lines += ['', "%d ratios compared: %d better, %d worse, %d the same." % (
        len(found), counts['better'], counts['worse'], counts['same'])]
    missing = [series.name for series in before.series
               if any(series.ratio(system) for system in series.samples)
               and not now.find(series.part, series.name)]
    if missing:
        lines.append("Not measured now: %s." % ', '.join(missing))
    return '\n'.join(lines)


def _shown(ratio):
    return '%.2f× (%.2f–%.2f)' % ratio
