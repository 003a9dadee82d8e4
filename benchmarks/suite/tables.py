# -*- coding: utf-8 -*-
"""A run as Markdown."""
import collections

from . import targets

#: the parts in the order of the page, with their headings and what one must know to read them
PARTS = collections.OrderedDict((
    ('requests', ("Requests per second through nginx",
                  "Eight connections that are always busy; more is better. The same number of HTTP workers "
                  "in total.")),
    ('workers', ("Other numbers of workers", "As above; more is better.")),
    ('latency', ("Latency under the same load",
                 "Milliseconds; eight clients wait in turn, so this is mostly waiting.")),
    ('cost', ("Processor time per request",
              "Of the server, its Redis and PostgreSQL together, under the same load; less is better. Other "
              "programs on the machine change it less than they change requests per second.")),
    ('failures', ("Requests that failed during the load", "")),
    ('redis', ("Redis commands per request",
               "Sent by the server, one client, warm caches; what it sends at rest is not counted; "
               "ratios to the recipe.")),
    ('ormcache', ("ormcache", "Less is better, but for lookups per second.")),
    ('rpc cost', ("What one RPC costs inside a worker", "Without sockets and HTTP: less is better.")),
    ('sessions', ("Sessions", "Less is better.")),
    ('boot', ("Boot and memory", "Less is better.")),
    ('failover', ("Failover of cron",
                  "Seconds from the end of the leader until another node starts a job.")),
    ('scaling', ("Scaling: 1 to 8 nodes of one worker", "")),
    ('model', ("Scaling: the model", "")),
))
ORDER = ('stock', 'ours', 'ours 1x4', 'ours 2x2', 'ours 4x1', 'ours 1x2', 'ours 1x8', 'gunicorn', 'recipe')
LABELS = {'stock': 'stock', 'ours': 'ours', 'gunicorn': 'plain gunicorn', 'recipe': 'the recipe'}


def label(system):
    """How a system is called in tables and plots."""
    if system.startswith('ours ') and 'x' in system:
        nodes, workers = system[len('ours '):].split('x')
        return 'ours, %s × %s' % (nodes, workers)
    return LABELS.get(system, system)


def number(value):
    """Three digits, as people write them."""
    if value == 0:
        return '0'
    if abs(value) >= 1000:
        return '{:,.0f}'.format(value)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return '%.*f' % (digits, value)


def systems_of(series):
    """The systems that occur in some series, in the order of columns."""
    found = []
    for each in series:
        found += [system for system in each.samples if system not in found]
    return sorted(found, key=lambda system: (ORDER.index(system) if system in ORDER else len(ORDER),
                                             found.index(system)))


def cell(series, system):
    """Median, spread, ratio and its spread."""
    summary = series.summary(system)
    if summary is None:
        return ''
    text = number(summary.median)
    if summary.count > 1:
        text += ' (%s–%s)' % (number(summary.low), number(summary.high))
    ratio = series.ratio(system)
    if ratio:
        text += ' **%.2f×**' % ratio.value
        if summary.count > 1:
            text += ' (%.2f–%.2f)' % (ratio.low, ratio.high)
    return text


def table(series):
    """One Markdown table of series; those with other systems get a table of their own."""
    groups = collections.OrderedDict()
    for each in series:
        groups.setdefault(tuple(systems_of([each])) if not _common(each) else 'common', []).append(each)
    return '\n\n'.join(_one_table(group) for group in groups.values())


def _common(series):
    return any(system in ORDER for system in series.samples)


def _one_table(series):
    systems = systems_of(series)
    lines = ['| | unit | %s |' % ' | '.join(map(label, systems)), '|---|---|%s' % ('---|' * len(systems))]
    for each in series:
        lines.append('| %s | %s | %s |' % (
            each.name, each.unit, ' | '.join(cell(each, system) for system in systems)))
    return '\n'.join(lines)


def verdicts(run):
    """The targets as a table."""
    words = {True: 'met', False: '**missed**', None: 'not measured'}
    return '\n'.join(['| target | measured | |', '|---|---|---|'] + [
        '| %s | %s | %s |' % (each.target, each.measured, words[each.kept])
        for each in targets.verdicts(run)])


def machine(run):
    """Where the run was made."""
    lines = ['| | |', '|---|---|'] + ['| %s | %s |' % pair for pair in run.machine.items()]
    lines.append('| run | %s, %s%s |' % (run.began, 'quick, ' if run.quick else '',
                                         'took %.0f min' % (sum(run.seconds.values()) / 60.0)))
    return '\n'.join(lines)


def page(run, plots):
    """The whole page. `plots`: {part: file name of an SVG}."""
    lines = ['# Results', '', 'Written by `make bench`; [README.md](README.md) says how to read it.', '',
             machine(run), '', '## Targets', '', verdicts(run), '']
    for part, (heading, words) in PARTS.items():
        series = run.of_part(part)
        remarks = run.remarks.get(part, [])
        if not series and not remarks:
            continue
        if part == 'failures' and not any(any(values) for each in series for values in each.samples.values()):
            lines += ['## ' + heading, '', 'None.', '']
            continue
        lines += ['## ' + heading, '']
        lines += [' '.join([words] + remarks).strip(), ''] if words or remarks else []
        if part in plots:
            lines += ['![%s](%s)' % (heading, plots[part]), '']
        if series:
            lines += [table(series), '']
    return '\n'.join(lines)
