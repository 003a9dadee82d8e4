# -*- coding: utf-8 -*-
"""Sessions in Redis instead of in files of one node, and the cookie that names them.

OpenERP keeps sessions in a folder, merges them under a lock of one process and
lets a slow request undo a log-out (web/http.py). Here a request opens its
session once, closes it once, and the store keeps parallel requests apart. When
Redis is away, a request that needs its session gets 503, not a log-in page.
"""
import contextlib
import logging
import time

from oe_cluster_launch.compat import text_type
from oe_cluster_launch.errors import RedisUnavailable
from oe_cluster_launch.seams.openerp7 import signaling
from oe_cluster_launch.seams.seam import Seam
from oe_cluster_launch.seams.shape import ContextManager, Function, Instance
from oe_cluster_launch.sessions.policy import Policy, User
from oe_cluster_launch.sessions.store import RedisSessionStore

#: where a request carries its session, and the id it came with, from session_context to the cookie
SESSION = 'oe_cluster_launch.session'
REQUESTED_ID = 'oe_cluster_launch.requested_session_id'
COOKIE = 'sid'
#: an attempt to sign in through somebody else (OpenID) may take this long
PENDING_LIFE_SECONDS = 3600
RETRY_AFTER_SECONDS = 5
UNAVAILABLE_PAGE = (b"<!DOCTYPE html><title>Please wait</title>"
                    b"<h1>Please wait a moment</h1>"
                    b"<p>The server cannot reach its session store. You are still logged in; "
                    b"nothing is lost. Try again in a few seconds.</p>")

_logger = logging.getLogger(__name__)


class OpenERPPolicy(Policy):
    """What OpenERP 7.0 keeps in a session: an OpenERPSession per tab, and plain values beside them.

    :param session_class: openerp.addons.web.session.OpenERPSession
    """

    classes = (
        ('openerp.addons.web.session', 'OpenERPSession'),
        # what auth_openid leaves there while the user is at his provider
        ('openid.consumer.discover', 'OpenIDServiceEndpoint'),
        ('openid.yadis.manager', 'YadisServiceManager'),
    )
    units = (('_db', '_uid', '_login', '_password'),)

    def __init__(self, session_class):
        self._session_class = session_class
        self._fresh_attributes = set(vars(session_class()))

    def user(self, value):
        if not isinstance(value, self._session_class) or value._suicide or not value._uid:
            return None
        return User(_text(value._db), int(value._uid), _text(value._login))

    def has_ended(self, value):
        return isinstance(value, self._session_class) and bool(value._suicide)

    def worth_storing(self, name, value, anybody_signed_in):
        """Plain values (saved actions) live as long as somebody is signed in beside them."""
        if not isinstance(value, self._session_class):
            return anybody_signed_in
        if value._uid or value.jsonp_requests:
            return True
        pending = any(vars(value)[name] for name in set(vars(value)) - self._fresh_attributes)
        return pending and value._creation_time + PENDING_LIFE_SECONDS > time.time()

    def blank(self, value):
        if isinstance(value, self._session_class):
            return self._session_class()
        return super(OpenERPPolicy, self).blank(value)

    def prefer(self, base, mine, theirs):
        """A log-in is never lost to a failed check of the old password."""
        return mine if mine.get('_uid') or not theirs.get('_uid') else theirs


def _text(value):
    return value.decode('utf-8', 'replace') if isinstance(value, bytes) else text_type(value)


def root():
    """The web client's WSGI application, or None."""
    from openerp.service import wsgi_server
    for handler in wsgi_server.module_handlers:
        if type(handler).__name__ == 'Root':
            return handler
    return None


def session_store(original, context):
    """Made in the master; each worker opens its own connection at its first request."""
    return make_store(context.store, context.sealing, context.settings)


def make_store(store, sealing, settings):
    """A session store that knows OpenERP's session class. The host's options must have been read."""
    from openerp.modules.module import initialize_sys_path
    initialize_sys_path()
    from openerp.addons.web.session import OpenERPSession
    return RedisSessionStore(store, sealing, settings, OpenERPPolicy(OpenERPSession))


def session_context(original, context):
    """Open at the start, close at the end; the lock is not needed."""
    untouched = tuple(context.settings.session_untouched_paths)

    @contextlib.contextmanager
    def redis_session_context(request, session_store, session_lock, sid):
        if sid:
            touch = not (untouched and request.path.startswith(untouched))
            session = session_store.get(sid, touch)
            for user in session.users_when_opened.values():  # whose password will be checked next
                signaling.expect_user(user.database, user.uid)
        else:
            session = session_store.new()
        # a jsonp client has no cookie: it learns the id from the answer and must find it again
        session.keep = 'jsonp' in request.args
        request.session = session
        request.environ.update({SESSION: session, REQUESTED_ID: sid})
        try:
            yield session
        finally:
            session_store.save(session)

    return redis_session_context


def session_gc(original, context):
    """Sessions end by their time to live: nothing to collect."""
    def no_session_gc(session_store):
        return None

    return no_session_gc


def dispatch(original, context):
    """Around the web client: our cookie instead of stock's, and 503 when Redis is away."""
    return SessionMiddleware(original)


class SessionMiddleware(object):
    """Sets the session cookie when the browser needs a new one, and only then.

    Stock sends it with every answer: an answer that comes late would put an old
    id over the one that a log-in has just set.
    """

    def __init__(self, application):
        self.application = application
        self._away = False

    def __call__(self, environ, start_response):
        def start_with_cookie(status, headers, exc_info=None):
            session = environ.get(SESSION)
            if session is not None:
                headers = _with_our_cookie(environ, session, headers)
            if exc_info:
                return start_response(status, headers, exc_info)
            return start_response(status, headers)

        try:
            answer = self.application(environ, start_with_cookie)
        except RedisUnavailable as error:
            self._complain(error)
            return _unavailable(start_response)
        if environ.get(SESSION) is not None and environ[SESSION].stored:
            self._relax()
        return answer

    def _complain(self, error):
        if not self._away:
            _logger.warning("requests with a session are answered 503: %s", error)
        self._away = True

    def _relax(self):
        if self._away:
            _logger.info("sessions are back")
        self._away = False


def json_dispatch(original, context):
    """JsonRequest.dispatch, whose answer takes no cookie of stock's: SessionMiddleware takes it out again."""
    def dispatch(self, method):
        response = original(self, method)
        set_cookie = response.set_cookie
        response.set_cookie = lambda name, *values, **options: (
            None if name == COOKIE else set_cookie(name, *values, **options))
        return response
    return dispatch


def _unavailable(start_response):
    start_response('503 Service Unavailable', [
        ('Content-Type', 'text/html; charset=utf-8'),
        ('Content-Length', '%d' % len(UNAVAILABLE_PAGE)),
        ('Cache-Control', 'no-store'),
        ('Retry-After', '%d' % RETRY_AFTER_SECONDS)])
    return [UNAVAILABLE_PAGE]


def _with_our_cookie(environ, session, headers):
    """The headers without stock's `sid` cookie and, when the id is news, with ours."""
    headers = [(name, value) for name, value in headers
               if not (name.lower() == 'set-cookie' and value.startswith(COOKIE + '='))]
    if session.stored and session.sid != environ[REQUESTED_ID]:
        cookie = '%s=%s; Path=/; HttpOnly; SameSite=Lax' % (COOKIE, session.sid)
        if environ.get('wsgi.url_scheme') == 'https':
            cookie += '; Secure'
        headers.append(('Set-Cookie', cookie))
    return headers


_HTTP = 'openerp.addons.web.http'

SEAMS = [
    Seam('session store', root, 'session_store',
         Instance('FilesystemSessionStore', 'get', 'new', 'save', 'path'), session_store,
         why="sessions in a folder of one node are lost when the next request goes to another",
         setting='shared_sessions'),
    Seam('session context', _HTTP, 'session_context',
         ContextManager('request', 'session_store', 'session_lock', 'sid'), session_context,
         why="its lock is one process's: parallel requests lose log-ins and undo log-outs",
         setting='shared_sessions'),
    Seam('session collector', _HTTP, 'session_gc', Function('session_store'), session_gc,
         why="it looks for files in the store's folder", setting='shared_sessions'),
    Seam('json answer', _HTTP, 'JsonRequest.dispatch', Function('self', 'method'), json_dispatch,
         why="writing the cookie that is taken out again would take as long as reading the session",
         setting='shared_sessions'),
    Seam('session cookie', root, 'dispatch', Instance('DisableCacheMiddleware', 'app'), dispatch,
         why="the cookie is readable by scripts and sent with every answer; no page for 'Redis is away'",
         setting='shared_sessions'),
]
