# -*- coding: utf-8 -*-
"""The import rule of the package docstring, enforced on the source itself."""
import ast
import io
import os

import pytest

import oe_cluster_launch

PACKAGE = oe_cluster_launch.__name__
ROOT = os.path.dirname(os.path.abspath(oe_cluster_launch.__file__))
PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

FOUNDATION = ('settings', 'errors', 'compat', 'metrics')
FEATURES = ('sessions', 'ormcache', 'openid_store', 'cron', 'cluster', 'health', 'spool')
SHARED = ('store', 'sealing')
#: what may name the host, and what may import it
HOST_NAMES = ('openerp', 'odoo')
MAY_IMPORT_HOST = ('seams.openerp7', )

#: layer -> what it may import, itself always included
RULES = {
    'errors': (),
    'compat': (),
    'settings': ('errors', 'compat'),
    'metrics': ('errors', 'compat'),
    'store': FOUNDATION,
    'sealing': FOUNDATION,
    'privileges': FOUNDATION,
    'shared_paths': FOUNDATION,
}
RULES['deployment'] = FOUNDATION + ('health',)
for feature in FEATURES:
    RULES[feature] = FOUNDATION + SHARED
RULES['status'] = FOUNDATION + SHARED + FEATURES


def modules():
    """(dotted name below the package, path) of every module."""
    for folder, _, names in os.walk(ROOT):
        for name in sorted(names):
            if name.endswith('.py'):
                path = os.path.join(folder, name)
                dotted = os.path.relpath(path, ROOT)[:-3].replace(os.sep, '.')
                yield dotted.replace('.__init__', '').replace('__init__', ''), path


MODULES = sorted(modules())


def read(path):
    with io.open(path, encoding='utf-8') as source:
        return source.read()


def imports(path):
    """Dotted names of everything a module imports, wherever in it."""
    text = read(path)
    # Python 2.7's parser takes no unicode source that declares its coding
    for node in ast.walk(ast.parse(text.encode('utf-8'))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "%s: relative import" % path
            for alias in node.names:
                yield '%s.%s' % (node.module, alias.name)


def layer_of(dotted):
    return dotted.split('.')[0]


@pytest.mark.parametrize('dotted, path', MODULES)
def test_imports_go_downwards_only(dotted, path):
    layer = layer_of(dotted)
    if layer not in RULES:
        return
    for name in imports(path):
        if name.split('.')[0] != PACKAGE or name == PACKAGE + '.__version__':
            continue
        target = layer_of(name[len(PACKAGE) + 1:])
        assert target in RULES[layer] + (layer,), "%s imports %s" % (dotted, name)


@pytest.mark.parametrize('dotted, path', MODULES)
def test_only_the_hosts_seams_import_the_host(dotted, path):
    if dotted.startswith(MAY_IMPORT_HOST):
        return
    for name in imports(path):
        assert name.split('.')[0] not in HOST_NAMES, "%s imports the host: %s" % (dotted, name)


@pytest.mark.parametrize('dotted, path', MODULES)
def test_only_boot_check_commands_and_supervisor_reach_for_a_hosts_seams(dotted, path):
    allowed = ('boot', 'check', 'commands', 'supervisor', 'seams')
    for name in imports(path):
        if name.startswith(PACKAGE + '.seams.openerp7'):
            assert layer_of(dotted) in allowed, "%s imports %s" % (dotted, name)


def test_only_compat_says_python_2():
    for dotted, path in MODULES:
        if dotted != 'compat':
            text = read(path)
            for word in ('PY2', 'version_info[0]', 'unicode(', 'basestring', 'iteritems()'):
                if dotted.startswith('seams.openerp7') and word in ('unicode(', 'basestring'):
                    continue  # the host itself is Python 2
                assert word not in text, "%s says %s" % (dotted, word)


def test_redis_keys_are_built_in_one_file_and_keys_is_never_called():
    for dotted, path in MODULES:
        text = read(path)
        assert '.keys(\'' not in text and "'KEYS'" not in text, dotted
        if dotted != 'store.keys':
            assert 'redis_prefix +' not in text, dotted


@pytest.mark.parametrize('dotted, path', MODULES)
def test_every_module_says_what_it_is_for(dotted, path):
    tree = ast.parse(read(path).encode('utf-8'))
    assert ast.get_docstring(tree), "%s has no docstring" % dotted


@pytest.mark.parametrize('dotted, path', MODULES)
def test_no_file_is_longer_than_one_can_read(dotted, path):
    assert len(read(path).splitlines()) <= 300, dotted


def test_every_lua_script_declares_its_keys_arguments_and_reply():
    folder = os.path.join(ROOT, 'store', 'lua')
    scripts = [name for name in os.listdir(folder) if name.endswith('.lua')]
    assert scripts
    for name in scripts:
        head = read(os.path.join(folder, name))[:1500]
        assert head.startswith('-- ') and 'reply' in head, name
        assert 'KEYS[1] = ' in head or 'ARGV[1] = ' in head, name
