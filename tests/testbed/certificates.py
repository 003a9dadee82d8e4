# -*- coding: utf-8 -*-
"""A certificate authority of our own and a server certificate for 127.0.0.1 and localhost."""
import os
import subprocess

from . import account


class Certificates(object):
    """Made by openssl in `folder`: `authority`, `server_certificate`, `server_key` are paths."""

    def __init__(self, folder, days=2):
        self.folder = account.folder(folder)
        self.authority = os.path.join(folder, 'ca.pem')
        self.server_certificate = os.path.join(folder, 'server.pem')
        self.server_key = os.path.join(folder, 'server.key')
        if os.path.exists(self.server_certificate):
            return
        authority_key = os.path.join(folder, 'ca.key')
        extensions = os.path.join(folder, 'extensions')
        with open(extensions, 'w') as stream:
            stream.write('subjectAltName = IP:127.0.0.1, DNS:localhost\n')
        key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
        self._openssl('req', '-x509', '-days', str(days), '-subj', '/CN=testbed authority',
                      '-keyout', authority_key, '-out', self.authority, *key)
        self._openssl('req', '-subj', '/CN=localhost', '-keyout', self.server_key,
                      '-out', os.path.join(folder, 'request'), *key)
        self._openssl('x509', '-req', '-days', str(days), '-extfile', extensions,
                      '-in', os.path.join(folder, 'request'), '-CA', self.authority,
                      '-CAkey', authority_key, '-CAcreateserial', '-out', self.server_certificate)
        for name in os.listdir(folder):
            account.give(os.path.join(folder, name))

    def _openssl(self, *arguments):
        subprocess.check_output(('openssl',) + arguments, stderr=subprocess.STDOUT)
