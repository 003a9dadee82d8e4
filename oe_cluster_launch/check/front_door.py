# -*- coding: utf-8 -*-
"""nginx, when its URL is given: it answers, and OpenERP answers through it."""
import re
import ssl

from oe_cluster_launch.check.result import fail, ok, skip, warn
from oe_cluster_launch.compat import HTTPConnection, HTTPException, HTTPSConnection, urlsplit

#: longest wait for nginx, in seconds; a busy node may take a while
TIMEOUT_SECONDS = 10
_VERSION = (b"<?xml version='1.0'?><methodCall><methodName>version</methodName>"
            b"<params></params></methodCall>")
_REMEDY = "See nginx's error log; conf/nginx.conf is a working example"


def reached(context):
    """An XML-RPC call through nginx is answered by the OpenERP that we are."""
    if not context.front_url:
        return skip("give --nginx URL to try the way that browsers take")
    url = context.front_url
    try:
        status, server, body = _ask(urlsplit(url))
    except ssl.SSLError as error:
        return fail("its certificate is not accepted: %s" % error,
                    "Renew it, or let this machine know the authority that signed it", '--nginx', url)
    except (EnvironmentError, HTTPException) as error:
        return fail("cannot be reached: %s" % error, "Start nginx, or mend the URL or the firewall",
                    '--nginx', url)
    return judge(url, status, server, body, context.host.version)


def judge(url, status, server, body, version):
    """The result for an answer."""
    if status in (502, 503, 504):
        return fail("answers %d: it reaches no node that serves" % status,
                    "See `oe-cluster-launch list`, and compare the addresses in nginx's upstream",
                    '--nginx', url)
    found = re.search(r'<name>server_version</name>\s*<value><string>([^<]*)', body)
    if status != 200 or not found:
        return fail("answers %d, and not as OpenERP does (Server: %s)" % (status, server or 'unnamed'),
                    _REMEDY, '--nginx', url)
    if found.group(1) != version:
        return warn("leads to OpenERP %s, and this node is %s" % (found.group(1), version),
                    "Mend the upstream, or finish the upgrade", '--nginx', url)
    return ok("%s leads to OpenERP %s" % (url, version))


def proxy_mode(context):
    """Behind nginx OpenERP must believe X-Forwarded-*."""
    if not context.front_url:
        return skip("give --nginx URL")
    if not context.host.config['proxy_mode']:
        return warn("OpenERP takes nginx for every browser, and writes http:// links behind https://",
                    "Set proxy_mode = True in [options]", 'proxy_mode', 'False')
    return ok("on")


def _ask(url):
    """(status, server's name, body) of the version call."""
    kind = HTTPSConnection if url.scheme == 'https' else HTTPConnection
    connection = kind(url.hostname, url.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request('POST', url.path.rstrip('/') + '/xmlrpc/common', _VERSION,
                           {'Content-Type': 'text/xml'})
        answer = connection.getresponse()
        return answer.status, answer.getheader('Server'), answer.read(65536).decode('utf-8', 'replace')
    finally:
        connection.close()
