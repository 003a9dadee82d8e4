# -*- coding: utf-8 -*-
"""nginx with the file that `oe-cluster-launch nginx` prints: only ports and folders are changed."""
import os
import re

from . import ports
from .nginx import BINARY
from .service import Service

FRAME = """daemon off;
worker_processes 1;
pid %(folder)s/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
    types { application/javascript js; image/png png; text/css css; }
    client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi; uwsgi_temp_path %(folder)s/uwsgi; scgi_temp_path %(folder)s/scgi;
    access_log off;
    include site.conf;
}
"""


class Site(Service):
    """One nginx for one text. `url`, and `tls_url` where the text has a TLS server."""

    def __init__(self, folder, text, name='site'):
        super(Site, self).__init__(name, folder)
        self.text = text
        self.port = ports.free_port()
        self.tls_port = ports.free_port() if 'listen 443' in text else None
        self.url = 'http://127.0.0.1:%d' % self.port
        self.tls_url = 'https://127.0.0.1:%s' % self.tls_port
        self.access_log = os.path.join(self.folder, 'oe-cluster.log')

    def configure(self):
        text = re.sub(r'(?m)^( *)listen 80;', r'\1listen 127.0.0.1:%d;' % self.port, self.text)
        text = re.sub(r'(?m)^( *)listen 443 ssl;', r'\1listen 127.0.0.1:%s ssl;' % self.tls_port, text)
        text = text.replace('/var/log/nginx', self.folder).replace('/var/cache', self.folder)
        for name, content in (('nginx.conf', FRAME % {'folder': self.folder}), ('site.conf', text)):
            with open(os.path.join(self.folder, name), 'w') as stream:
                stream.write(content)

    def command(self, *options):
        return [BINARY, '-e', 'stderr', '-p', self.folder, '-c',
                os.path.join(self.folder, 'nginx.conf')] + list(options)

    def is_ready(self):
        return not ports.is_free(self.port)

    def answered_by(self):
        """For every request so far the addresses that nginx asked, as it logs them: `a` or `a, b`."""
        with open(self.access_log) as stream:
            return re.findall(r'(?m)^.*" [0-9]+ [0-9.]+ (.*) [^ ]+$', stream.read())
