# -*- coding: utf-8 -*-
"""An addon whose Python code a test can change: it answers /probe/version."""
import os
import shutil
import subprocess
import zipfile

from . import account, paths

_INIT = """\
import openerp.addons.web.http as http

class Probe(http.Controller):
    _cp_path = '/probe'

    @http.httprequest
    def version(self, request):
        return request.make_response('%s')

%s
"""
_MANIFEST = "{'name': 'Probe', 'version': '%s', 'depends': ['web'], 'installable': True, 'data': []}\n"


class ProbeAddon:
    """The addon `probe` in a folder that goes into addons_path."""

    def __init__(self, folder):
        self.folder = account.folder(folder)
        self.path = os.path.join(folder, 'probe')

    def write(self, version, extra=''):
        """(Re)write it: /probe/version answers `version`; `extra` is more Python at import."""
        shutil.rmtree(self.path, ignore_errors=True)
        _write(account.folder(self.path), version, extra)
        return self

    def pack(self, version):
        """A zip file with another version, as the apps server hands it out; its URL."""
        source = account.folder(os.path.join(self.folder + '-packed', 'probe'))
        _write(source, version, '')
        archive = os.path.join(os.path.dirname(source), 'probe.zip')
        with zipfile.ZipFile(archive, 'w') as packed:
            for parent, folders, names in os.walk(source):
                for name in folders + names:
                    path = os.path.join(parent, name)
                    packed.write(path, os.path.relpath(path, os.path.dirname(source)))
        account.give(archive)
        return 'file://' + archive

    def addons_path(self):
        """For the option addons_path."""
        ours = subprocess.check_output([paths.python27('python'), '-c', (
            "import openerp, os; print(os.path.join(os.path.dirname(openerp.__file__), 'addons'))")])
        return '%s,%s' % (ours.decode().strip(), self.folder)


def _write(path, version, extra):
    account.folder(os.path.join(path, 'static'))
    for name, text in (('__init__.py', _INIT % (version, extra)),
                       ('__openerp__.py', _MANIFEST % version)):
        with open(os.path.join(path, name), 'w') as stream:
            stream.write(text)
        account.give(os.path.join(path, name))
