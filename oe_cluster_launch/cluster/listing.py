# -*- coding: utf-8 -*-
"""Rows as an operator reads them: a boxed table, tab-separated lines, JSON. Pure functions."""
import json

from oe_cluster_launch.cluster import mismatch
from oe_cluster_launch.compat import text_type, to_text

MEMBER_COLUMNS = ('node', 'address', 'role', 'state', 'workers', 'version', 'uptime', 'term', 'last seen',
                  'notes')


def member_rows(members):
    """One dictionary of texts per node, by the names of MEMBER_COLUMNS."""
    differences = mismatch.differences(members)
    return [_member_row(member, differences[member['node']]) for member in members]


def _member_row(member, differing):
    notes = ["other %s" % word for word in differing]
    if member.get('reason', '').startswith('must not run cron'):
        notes.append(member['reason'])
    if member.get('jobs_running'):
        notes.append("%d jobs running" % member['jobs_running'])
    workers = member.get('workers', '')
    if member.get('cron_workers'):
        workers = '%s+%d cron' % (workers, member['cron_workers'])
    version = ''
    if member.get('version'):
        version = '%s/%s' % (member['version'], member.get('host_version', ''))
    return {
        'node': member['node'], 'address': member.get('address', ''), 'role': member.get('role', ''),
        'state': member.get('state', ''), 'workers': workers,
        'version': version,
        'uptime': duration(member['uptime_seconds']) if 'uptime_seconds' in member else '',
        'term': member.get('term') or '', 'last seen': '%s ago' % duration(member['last_seen_seconds']),
        'notes': '; '.join(notes),
    }


_UNITS = ((86400, 'd', 3600, 'h'), (3600, 'h', 60, 'm'), (60, 'm', 1, 's'))


def duration(seconds):
    """A span in at most two units, such as 5s, 3m20s, 2h05m, 4d07h."""
    seconds = int(seconds)
    for size, unit, smaller, smaller_unit in _UNITS:
        if seconds >= size:
            return '%d%s%02d%s' % (seconds // size, unit, seconds % size // smaller, smaller_unit)
    return '%ds' % seconds


def boxed(title, columns, rows):
    """A table with lines around it, the title in its upper edge."""
    cells = [[to_text(text_type(row[name])) for name in columns] for row in rows]
    widths = [max([len(name)] + [len(row[index]) for row in cells]) for index, name in enumerate(columns)]
    edge = '+%s+' % '+'.join('-' * (width + 2) for width in widths)
    lines = [_with_title(edge, title), _line(columns, widths), edge]
    lines += [_line(row, widths) for row in cells]
    return '\n'.join(lines + [edge])


def _with_title(edge, title):
    title = '+ %s ' % title
    return title + edge[len(title):] if len(title) < len(edge) else title.rstrip() + '\n' + edge


def _line(cells, widths):
    return '| %s |' % ' | '.join(cell.ljust(width) for cell, width in zip(cells, widths))


def tsv(columns, rows):
    """A header line and one line per row, separated by tabs."""
    lines = ['\t'.join(columns)]
    for row in rows:
        lines.append('\t'.join(to_text(text_type(row[name])).replace('\t', ' ') for name in columns))
    return '\n'.join(lines)


def as_json(value):
    """Indented, keys sorted, so that two answers can be compared."""
    return json.dumps(value, indent=2, sort_keys=True)
