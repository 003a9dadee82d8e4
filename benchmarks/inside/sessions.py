# -*- coding: utf-8 -*-
"""What opening and closing a session costs a request: stock's files, ours, the recipe's Redis.

    python2.7 -m benchmarks.inside.sessions SOCKET FOLDER ROUNDS CALLS CROWD

Each call is a whole `session_context` of a signed-in user's request, as the web client runs it.
With CROWD that many sessions are simulated instead, for memory, latency in the crowd and listing.
"""
import os
import sys
import threading
import time

import redis
from redis.connection import Connection

from benchmarks.inside import report
from benchmarks.recipe.patches import RecipeSessionStore
from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.seams.openerp7 import sessions as seam
from oe_cluster_launch.seams.openerp7.host import Host
from oe_cluster_launch.sessions.index import SessionIndex
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store

USERS = 1000
TTL_MS = 7 * 24 * 3600 * 1000
BATCH = 5000

# Copies one session's hash under made-up ids. Sealed values are bound to their id, so the copies
# could not be opened; they weigh the same, and nobody opens them here.
CROWD = """
local fields = redis.call('HGETALL', KEYS[1])
for number = ARGV[1], ARGV[2] do
  local id = redis.sha1hex(number)
  redis.call('HSET', ARGV[3] .. id, unpack(fields))
  redis.call('PEXPIRE', ARGV[3] .. id, ARGV[5])
  redis.call('ZADD', ARGV[4] .. (number %% %d), 4e12, id)
end
""" % USERS

_round_trips = [0]


def count_round_trips():
    """Each packet of commands that is sent counts as one."""
    original = Connection.send_packed_command

    def counting(self, *args, **options):
        _round_trips[0] += 1
        return original(self, *args, **options)
    Connection.send_packed_command = counting


class HttpRequest(object):
    """What session_context looks at."""

    path, args = '/web/dataset/call_kw', {}

    def __init__(self):
        self.environ = {}


class Kind(object):
    """One way to keep sessions."""

    def __init__(self, store, context, session_class):
        self.store, self._context, self._lock = store, context, threading.Lock()
        self.sid = self.sign_in(session_class)

    def sign_in(self, session_class, uid=1):
        """A session with somebody in it; its id."""
        with self._context(HttpRequest(), self.store, self._lock, None) as session:
            tab = session_class()
            tab._db, tab._uid, tab._login, tab._password = 'production', uid, 'user%d' % uid, 'secret'
            tab.context = {'lang': 'en_US', 'tz': 'Europe/Brussels', 'uid': uid}
            session['0123456789abcdef0123456789abcdef'] = tab
        return session.sid

    def unchanged(self):
        """A request that changes nothing in its session."""
        with self._context(HttpRequest(), self.store, self._lock, self.sid) as session:
            assert session['0123456789abcdef0123456789abcdef']._uid

    def changed(self):
        """A request that does."""
        with self._context(HttpRequest(), self.store, self._lock, self.sid) as session:
            session['saved'] = session.get('saved', 0) + 1


def main(socket_path, folder, rounds, calls, crowd):
    host = Host()
    host.read_options(['--logfile', '/dev/null'])
    host.become_multi_process()
    host.start_services()
    web = sys.modules['openerp.addons.web.http']
    session_class = sys.modules['openerp.addons.web.session'].OpenERPSession
    client = redis.Redis(unix_socket_path=socket_path)
    settings = load_settings().replace(redis_url='unix://' + socket_path)
    store = Store(settings)
    sealing = Sealing(None, [key_file.new_key()])

    class Context(object):
        pass
    Context.settings = settings
    from werkzeug.contrib.sessions import FilesystemSessionStore
    files = os.path.join(folder, 'files')
    os.mkdir(files)
    kinds = {
        'stock': Kind(FilesystemSessionStore(files), web.session_context, session_class),
        'recipe': Kind(RecipeSessionStore(client), web.session_context, session_class),
        'ours': Kind(seam.make_store(store, sealing, settings), seam.session_context(None, Context),
                     session_class),
    }
    rounds, calls, series = int(rounds), int(calls), []
    if int(crowd):
        return report.tell(in_a_crowd(kinds['ours'], session_class, client, store, int(crowd), rounds, calls))
    count_round_trips()
    for name, method in (('open + close, unchanged', 'unchanged'),
                         ('open + close, one value changed', 'changed')):
        cases = dict((kind, getattr(each, method)) for kind, each in kinds.items())
        series.append((name, 'us', report.scaled(report.in_turns(cases, rounds, calls), 1e6)))
        series.append(('round trips: ' + name, 'round trips',
                       dict((kind, [trips(case)]) for kind, case in cases.items())))
    series.append(('bytes of Redis per session', 'bytes', weigh(kinds, client, session_class)))
    return report.tell(series)


def trips(case):
    before = _round_trips[0]
    for _ in range(10):
        case()
    return (_round_trips[0] - before) / 10.0


def weigh(kinds, client, session_class, count=2000):
    """What a session of a user adds to Redis' memory, his index included."""
    found = {}
    for kind in ('ours', 'recipe'):
        before = client.info('memory')['used_memory']
        for uid in range(count):
            kinds[kind].sign_in(session_class, 10 + uid)
        found[kind] = [(client.info('memory')['used_memory'] - before) / float(count)]
    return found


def in_a_crowd(ours, session_class, client, store, crowd, rounds, calls):
    """Memory, latency and listing with so many sessions in Redis."""
    alone = report.in_turns({'ours': ours.unchanged}, rounds, calls)['ours']
    client.flushdb()
    ours.sid = ours.sign_in(session_class)
    before = client.info('memory')['used_memory']
    copy, keys = client.register_script(CROWD), store.keys
    for start in range(0, crowd, BATCH):
        copy(keys=[keys.session(ours.sid)],
             args=[start, min(crowd, start + BATCH) - 1, keys.session_start,
                   keys.session_index('production', 5000), TTL_MS])
    crowded = report.in_turns({'ours': ours.unchanged}, rounds, calls)['ours']
    memory = (client.info('memory')['used_memory'] - before) / 1048576.0
    index = SessionIndex(store, ours.store)
    began = time.time()
    listed = len(ours.store.list())
    listing = time.time() - began
    began = time.time()
    ours_own = len(index.of_user('production', 1))
    own = (time.time() - began) * 1000
    assert listed == crowd + 1 and ours_own == 1, (listed, ours_own)
    title = '{:,} sessions: '.format(crowd)
    return [(title + 'memory of Redis', 'MB', {'ours': [memory]}),
            (title + 'open + close', 'us', {'ours': [1e6 * each for each in crowded]}),
            (title + 'open + close of the only session', 'us', {'ours': [1e6 * each for each in alone]}),
            (title + 'listing the ids of all', 's', {'ours': [listing]}),
            (title + "listing one user's", 'ms', {'ours': [own]})]


if __name__ == '__main__':
    main(*sys.argv[1:])
