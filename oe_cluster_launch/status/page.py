# -*- coding: utf-8 -*-
"""The facts as one HTML page, readable on a phone, light and dark. A pure function.

No external asset: style and script are in the page, and its content security
policy allows exactly these two, by their digest. All text is escaped by markup.py.
"""
import base64
import hashlib
import pkgutil

from oe_cluster_launch.cluster.listing import duration
from oe_cluster_launch.compat import native, to_text
from oe_cluster_launch.status.markup import Markup, escaped, tag
from oe_cluster_launch.status.timeline import moment, timeline

HISTORY_SHOWN = 6
#: without scripts
REFRESH_SECONDS = 5


def _asset(name):
    return pkgutil.get_data('oe_cluster_launch.status', name)


def _digest(asset):
    return "'sha256-%s'" % native(base64.b64encode(hashlib.sha256(asset).digest()))


_STYLE, _SCRIPT = _asset('page.css'), _asset('page.js')
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src %s; script-src %s; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'" % (_digest(_STYLE), _digest(_SCRIPT)))


def render(facts, served_by):
    """The whole page as text. `served_by`: the node that answers."""
    level = _level(facts)
    head = tag('head', tag('meta', charset='utf-8'),
               tag('meta', name_='viewport', content='width=device-width, initial-scale=1'),
               tag('meta', name_='color-scheme', content='light dark'),
               tag('title', '%s%s' % ('' if level == 'pass' else '(%s) ' % _WORDS[level], _title(facts))),
               tag('style', Markup(to_text(_STYLE))),
               tag('noscript', tag('meta', http_equiv='refresh', content=REFRESH_SECONDS)))
    body = tag('body', tag('main', _header(facts, level), _warnings(facts), _nodes(facts), _cron(facts),
                           _stores(facts), _footer(facts, served_by)),
               tag('script', Markup(to_text(_SCRIPT))))
    return u'<!DOCTYPE html>\n' + escaped(tag('html', head, body, lang='en')) + u'\n'


_WORDS = {'pass': "all is well", 'warn': "look here", 'fail': "trouble"}


def _level(facts):
    levels = [warning['level'] for warning in facts['warnings']]
    return 'fail' if 'fail' in levels else 'warn' if levels else 'pass'


def _title(facts):
    return "Cluster %s" % facts['cluster']


def _header(facts, level):
    return tag('header', tag('h1', _title(facts)), tag('span', _WORDS[level], class_='badge ' + level),
               tag('span', moment(facts['time']), id='fresh', class_='fresh'))


def _warnings(facts):
    return [tag('div', warning['what'], tag('small', warning['remedy']), class_='warning ' + warning['level'])
            for warning in facts['warnings']]


# -- nodes -----------------------------------------------------------------

def _nodes(facts):
    if not facts['nodes']:
        return []
    return [tag('h2', "Nodes"), tag('div', [_node(node) for node in facts['nodes']], class_='grid')]


def _node(node):
    state, load = node.get('state', ''), node.get('load') or {}
    badges = [tag('span', state, class_='badge ' + _STATES.get(state, 'warn'))]
    if node.get('role') == 'leader':
        badges.insert(0, tag('span', "leads cron", class_='badge'))
    title = tag('div', tag('h3', node['node']), badges, class_='title')
    if state == 'lost':
        return tag('section', title, tag('p', "last heard of %s ago" % duration(node['last_seen_seconds']),
                                         class_='note'), class_='card lost')
    return tag('section', title, _workers(load), _listed(_rows(node, load)), class_='card')


_STATES = {'running': 'pass', 'lost': 'fail'}


def _workers(load):
    """One square per HTTP worker."""
    if not load:
        return []
    ready, busy = load['ready'], min(load['busy'], load['ready'])
    squares = ['busy'] * busy + [None] * (ready - busy) + ['gone'] * max(load['wanted'] - ready, 0)
    sentence = "%d of %d workers busy" % (busy, ready)
    if load['queued']:
        sentence += ", %d waiting" % load['queued']
    return [tag('div', [tag('i', class_=square) for square in squares], class_='workers', aria_hidden='true'),
            tag('p', sentence, class_='note')]


def _rows(node, load):
    if load:
        yield "requests", "%g a second" % load['requests_per_second']
        yield "answered", "%s, %s failed" % (_number(load['requests']), _number(load['requests_failed']))
        troubles = [("over a limit", sum(load[name] for name in load if name.startswith('limit_'))),
                    ("crashed", load['workers_crashed']), ("killed", load['workers_killed'])]
        if any(count for _, count in troubles):
            yield "trouble", ', '.join("%d %s" % (count, what) for what, count in troubles if count)
        yield "load average", "%.2f on %d processors" % (load['load_average'], load['processors'])
    yield "address", node.get('address', '')
    if node.get('status_address'):
        yield "status port", tag('a', node['status_address'],
                                 href='http://%s/_cluster/' % node['status_address'], rel='noreferrer')
    yield "version", "%s, OpenERP %s" % (node.get('version', '?'), node.get('host_version', '?'))
    yield "databases", ', '.join(node.get('databases', []))
    yield "up", duration(node.get('uptime_seconds', 0))
    if node.get('role') == 'leader':
        yield "cron", "%d workers, jobs running: %d" % (
            node.get('cron_workers', 0), node.get('jobs_running', 0))
    if node.get('differs'):
        yield "differs in", ', '.join(node['differs'])


def _listed(rows):
    return tag('dl', [[tag('dt', name), tag('dd', value)] for name, value in rows])


# -- cron --------------------------------------------------------------------

def _cron(facts):
    if facts['redis']['error']:
        return []
    leader = "%s leads, term %d" % (facts['leader'], facts['term']) if facts['leader'] else "nobody leads"
    if facts['paused']:
        leader = "paused"
    names = [node['node'] for node in facts['nodes']]
    rows = [tag('tr', tag('td', tenure['term']), tag('td', tenure['node']),
                tag('td', moment(tenure['since_ms'] / 1000.0)[:-4], class_='tight'),
                tag('td', _tenure(tenure, facts['time']), class_='tight'), tag('td', tenure.get('why', '')))
            for tenure in facts['history'][:HISTORY_SHOWN]]
    header = tag('tr', [tag('th', name) for name in ("term", "node", "since (UTC)", "for", "why it ended")])
    return [tag('h2', "Cron"), tag('section', tag('div', tag('h3', leader), class_='title'),
                                   timeline(facts['history'], facts['time'], names),
                                   tag('div', tag('table', header, rows), class_='scroll') if rows else [],
                                   class_='card')]


def _tenure(tenure, now):
    return duration(tenure.get('until_ms', now * 1000) / 1000.0 - tenure['since_ms'] / 1000.0)


# -- Redis, sessions, cache ----------------------------------------------------

def _stores(facts):
    if facts['redis']['error']:
        return []
    cards = [_redis(facts['redis']), _sessions(facts['sessions']), _cache(facts['cache'])]
    return [tag('h2', "Redis, sessions, cache"), tag('div', cards, class_='grid')]


def _redis(redis):
    used, limit = redis['used_memory'] or 0, redis['maxmemory'] or 0
    persistence = "append-only file" if redis['aof_enabled'] else "snapshots or none"
    meter = _meter(100.0 * used / limit) if limit else []
    return tag('section', tag('div', tag('h3', "Redis %s" % redis['redis_version']),
                              tag('span', redis['role'], class_='badge'), class_='title'),
               tag('p', _bytes(used), tag('span', " of %s" % _bytes(limit) if limit else " used, no limit",
                                          class_='note'), class_='figure'), meter,
               _listed([("operations", "%s a second" % _number(redis['instantaneous_ops_per_sec'] or 0)),
                        ("answers in", "%s ms" % redis['milliseconds']),
                        ("clients", _number(redis['connected_clients'] or 0)),
                        ("when full", redis['maxmemory_policy'] or "unknown"),
                        ("evicted", _number(redis['evicted_keys'] or 0)),
                        ("on disk", persistence),
                        ("replicas", redis['connected_slaves'] or 0),
                        ("up", duration(redis['uptime_in_seconds'] or 0))]), class_='card')


def _sessions(sessions):
    if not sessions:
        return []
    count = _number(sessions['count']) if sessions['complete'] else "over %s" % _number(sessions['count'])
    return tag('section', tag('div', tag('h3', "Sessions"), class_='title'),
               tag('p', count, class_='figure'),
               tag('p', "in Redis, signed in or not", class_='note'), class_='card')


def _cache(cache):
    if not cache:
        return []
    rate = "no figures yet" if cache['hit_rate'] is None else "%.1f %%" % cache['hit_rate']
    rows = [("hits", _number(cache['hits'])), ("misses", _number(cache['misses'])),
            ("found by another worker", _number(cache['shared_hits'])),
            ("workers that report", cache['workers'])]
    rows += [("shared, %s" % log['database'], _bytes(log['bytes'])) for log in cache['logs']]
    return tag('section', tag('div', tag('h3', "ormcache"), class_='title'),
               tag('p', rate, tag('span', " hits", class_='note') if cache['hit_rate'] is not None else [],
                   class_='figure'),
               _meter(cache['hit_rate'], good=True) if cache['hit_rate'] is not None else [],
               _listed(rows), class_='card')


def _meter(percent, good=False):
    """A bar; a full one is a warning unless it is good. No style attribute: the policy allows none."""
    level = None if good or percent < 75 else 'warn' if percent < 90 else 'fail'
    return Markup(u'<div class="meter">%s</div>' % escaped(
        tag('svg', tag('rect', x='0', y='0', height='8', width='%.1f%%' % percent,
                       class_='fill %s' % (level or '')), width='100%', height='8', aria_hidden='true')))


def _footer(facts, served_by):
    return tag('footer', "Served by node %s at %s. The same as " % (served_by, moment(facts['time'])),
               tag('a', "JSON", href='/_cluster/status'), "; in a terminal: oe-cluster-launch top.")


def _number(value):
    return '{:,}'.format(value)


def _bytes(count):
    for unit in ('B', 'KB', 'MB', 'GB'):
        if count < 1024 or unit == 'GB':
            return ('%d %s' if unit == 'B' else '%.1f %s') % (count, unit)
        count /= 1024.0
