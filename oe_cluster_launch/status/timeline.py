# -*- coding: utf-8 -*-
"""Who led cron when, as a strip of inline SVG: one bar per term, gaps where nobody did."""
import time

from oe_cluster_launch.status.markup import tag

BAR_TOP, BAR_HEIGHT, HEIGHT = 2, 28, 54
#: spans of time to show, and the distance of the ticks below, in seconds
SPANS = [(600, 150), (3600, 900), (6 * 3600, 5400), (86400, 6 * 3600), (7 * 86400, 2 * 86400),
         (28 * 86400, 7 * 86400)]
COLORS = 8
_UNITS = ((86400, 'd'), (3600, 'h'), (60, 'min'))


def timeline(history, now, names):
    """The strip and its legend.

    :param history: as cron.control has it, newest first
    :param now: epoch seconds
    :param names: all nodes; the place in this list is a node's colour
    """
    span, step = _span(history, now)
    names = list(names) + sorted(set(tenure['node'] for tenure in history) - set(names))
    shown = [tenure for tenure in reversed(history) if _until(tenure, now) > now - span]
    drawing = tag('svg', tag('rect', x='0', y=BAR_TOP, width='100%', height=BAR_HEIGHT, class_='track'),
                  [_bar(tenure, names.index(tenure['node']), now, span) for tenure in shown],
                  [_tick(ago, span) for ago in range(0, span + 1, step)],
                  width='100%', height=HEIGHT, role='img',
                  aria_label="Leaders of cron in the last %s" % _span_words(span))
    legend = [tag('span', tag('i', class_='dot c%d' % (index % COLORS)), name, class_='key')
              for index, name in enumerate(names) if any(tenure['node'] == name for tenure in shown)]
    return [drawing, tag('p', legend, class_='legend')]


def _span(history, now):
    """The smallest span that shows the present term and two before it, as far as it can be."""
    oldest = [tenure['since_ms'] / 1000.0 for tenure in history[:3]]
    wanted = now - min(oldest) if oldest else 0
    return next(((span, step) for span, step in SPANS if span >= wanted), SPANS[-1])


def _until(tenure, now):
    return tenure['until_ms'] / 1000.0 if 'until_ms' in tenure else now


def _bar(tenure, index, now, span):
    since, until = tenure['since_ms'] / 1000.0, _until(tenure, now)
    left = max(0.0, 100 * (1 - (now - since) / span))
    right = 100 * (1 - (now - until) / span)
    label = "term %d: %s, %s to %s%s" % (
        tenure['term'], tenure['node'], moment(since), moment(until) if 'until_ms' in tenure else "now",
        "; it ended: %s" % tenure['why'] if tenure.get('why') else "")
    return tag('rect', tag('title', label), x='%.2f%%' % left, width='%.2f%%' % max(right - left, 0.3),
               y=BAR_TOP, height=BAR_HEIGHT, class_='bar c%d' % (index % COLORS))


def _tick(ago, span):
    place = 100.0 * (1 - float(ago) / span)
    anchor = 'end' if not ago else 'start' if ago >= span else 'middle'
    return tag('text', _ago_words(ago), x='%.2f%%' % place, y=HEIGHT - 8, text_anchor=anchor)


def _ago_words(seconds):
    if not seconds:
        return 'now'
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size)
    return u'\u2212%g %s' % (float(seconds) / size, unit)


def _span_words(span):
    return _ago_words(span)[1:]


def moment(seconds):
    """A time as the page shows it; UTC, since nobody knows where the reader is."""
    return time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(seconds))
