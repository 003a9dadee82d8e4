# -*- coding: utf-8 -*-
"""A run as SVG plots, by matplotlib."""
import os

import matplotlib

matplotlib.use('svg')
from matplotlib import pyplot  # noqa: E402 - the backend must be chosen first

from .tables import PARTS, label, systems_of  # noqa: E402

COLOURS = {'ours': '#1b6ca8', 'ours 1x4': '#1b6ca8', 'ours 2x2': '#5b9bd0', 'ours 4x1': '#a3c8e8',
           'gunicorn': '#9a9a9a', 'recipe': '#d98b3a'}
RATIO_PARTS = ('requests', 'latency', 'cost', 'ormcache', 'rpc cost', 'sessions', 'boot')
STYLE = {'svg.fonttype': 'none', 'svg.hashsalt': 'oe-cluster-launch', 'font.size': 9,
         'axes.spines.top': False, 'axes.spines.right': False}


def draw(run, folder):
    """Write every plot that the run has figures for; {part: file name}."""
    written = {}
    with matplotlib.rc_context(STYLE):
        for part in RATIO_PARTS:
            series = [each for each in run.of_part(part) if _ratios(each) and ', p9' not in each.name]
            series = [each for each in series if each.higher_is_better == series[0].higher_is_better]
            if series:
                written[part] = _save(_bars(part, series), folder, part)
        throughput = [each for each in run.of_part('scaling') if each.unit == 'req/s']
        if throughput:
            written['scaling'] = _save(_lines(throughput), folder, 'scaling')
        if run.of_part('failover'):
            written['failover'] = _save(_distributions(run.of_part('failover')), folder, 'failover')
    return written


def _ratios(series):
    return [system for system in series.samples if series.ratio(system)]


def _save(figure, folder, part):
    name = part.replace(' ', '_') + '.svg'
    figure.savefig(os.path.join(folder, name), metadata={'Date': None}, bbox_inches='tight')
    pyplot.close(figure)
    return name


def _bars(part, series):
    """Ratios to stock with their spread, one group of bars per series."""
    systems = [system for system in systems_of(series) if any(each.ratio(system) for each in series)]
    height = 0.8 / len(systems)
    figure, axes = pyplot.subplots(figsize=(8, 1.2 + len(series) * (0.18 + 0.16 * len(systems))))
    for place, system in enumerate(systems):
        found = [(row, each.ratio(system)) for row, each in enumerate(series) if each.ratio(system)]
        values = [ratio.value for _row, ratio in found]
        rows = [row + (place - (len(systems) - 1) / 2.0) * height for row, _ratio in found]
        axes.barh(rows, values, height,
                  xerr=[[max(0, ratio.value - ratio.low) for _row, ratio in found],
                        [max(0, ratio.high - ratio.value) for _row, ratio in found]],
                  label=label(system), color=COLOURS.get(system), error_kw={'elinewidth': 0.7})
    axes.set_yticks(range(len(series)), [each.name for each in series])
    axes.set_ylim(len(series) - 0.5, -0.5)
    if max(each.ratio(system).value for each in series for system in _ratios(each)) > 8:
        axes.set_xscale('log')
        axes.xaxis.set_major_formatter('{x:g}')
    axes.axvline(1.0, color='black', linewidth=0.8)
    better = 'more' if series[0].higher_is_better else 'less'
    axes.set_xlabel('times stock (%s is better)' % better)
    axes.set_title(PARTS[part][0])
    axes.legend(fontsize=8, frameon=False, loc='center left', bbox_to_anchor=(1.0, 0.5))
    return figure


def _lines(series):
    figure, axes = pyplot.subplots(figsize=(8, 3.5))
    for each in series:
        counts = [int(system.split()[0]) for system in each.samples]
        summaries = [each.summary(system) for system in each.samples]
        axes.errorbar(counts, [one.median for one in summaries],
                      yerr=[[one.median - one.low for one in summaries],
                            [one.high - one.median for one in summaries]],
                      marker='o', capsize=3, label=each.name)
    axes.set_xlabel('nodes of one worker, all on this machine')
    axes.set_ylabel('requests per second')
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8, frameon=False)
    axes.set_title(PARTS['scaling'][0])
    return figure


def _distributions(series):
    figure, axes = pyplot.subplots(figsize=(8, 3.5))
    for each in series:
        for values in each.samples.values():
            ordered = sorted(values)
            axes.step(ordered, [(place + 1.0) / len(ordered) for place in range(len(ordered))], where='post',
                      label=each.name)
    axes.set_xlabel('seconds until another node starts a job')
    axes.set_ylabel('share of rounds')
    axes.set_xlim(left=0)
    axes.legend(fontsize=8, frameon=False)
    axes.set_title(PARTS['failover'][0])
    return figure
