# -*- coding: utf-8 -*-
"""The seam mechanism: check all, then install all or none; symmetric removal."""
import sys
import types

import pytest

from oe_cluster_launch.errors import EXIT_SOFTWARE, HostMismatch
from oe_cluster_launch.seams.seam import AFTER_ADDONS, BEFORE_ADDONS, Seam, SeamTable
from oe_cluster_launch.seams.shape import Class, Function, Instance, Value


class Context(object):
    """What seams get; only the settings matter here."""

    def __init__(self, **settings):
        self.settings = types.SimpleNamespace(**settings) if hasattr(types, 'SimpleNamespace') else \
            type('Settings', (), settings)


@pytest.fixture
def host():
    """A host module such as a seam table may be written for."""
    module = types.ModuleType('a_host')

    class Registry(object):
        limit = 3

        @classmethod
        def new(cls, name):
            return 'host %s' % name

        def get(self, key, *rest, **more):
            return 'host %s' % key

    def answer(request):
        return 'host %s' % request
    module.Registry, module.answer = Registry, answer
    sys.modules['a_host'] = module
    yield module
    del sys.modules['a_host']


def seam(attribute='answer', expected=None, **changes):
    changes.setdefault('owner', 'a_host')
    changes.setdefault('replace', lambda original, context: lambda request: 'ours and ' + original(request))
    return Seam(name=changes.pop('name', attribute), attribute=attribute,
                expected=expected or Function('request'), why='because', **changes)


def test_a_seam_is_reached_by_a_real_call_and_removed_without_a_trace(host):
    original = host.answer
    table = SeamTable([seam()])
    table.install(AFTER_ADDONS, Context())
    assert host.answer('x') == 'ours and host x'
    table.remove()
    assert host.answer is original


def test_a_class_method_comes_back_as_a_class_method(host):
    stored = vars(host.Registry)['new']
    table = SeamTable([seam(
        'Registry.new', Function('cls', 'name'),
        replace=lambda original, context: classmethod(lambda cls, name: 'ours and ' + original(name)))])
    table.install(AFTER_ADDONS, Context())
    assert host.Registry.new('x') == 'ours and host x'
    table.remove()
    assert vars(host.Registry)['new'] is stored


def test_one_seam_that_does_not_fit_keeps_all_from_being_installed(host):
    original = host.answer
    table = SeamTable([seam(), seam(name='wrong', expected=Function('request', 'more')),
                       seam('absent', name='gone')])
    with pytest.raises(HostMismatch) as caught:
        table.install(AFTER_ADDONS, Context())
    assert host.answer is original
    assert table.installed == []
    assert caught.value.exit_code == EXIT_SOFTWARE
    assert 'seam wrong: a_host:answer takes (request), expected (request, more)' in str(caught.value)
    assert 'seam gone: a_host:absent has no absent' in str(caught.value)


def test_a_mismatch_in_the_second_phase_takes_the_first_phase_out_again(host):
    original = host.answer
    table = SeamTable([seam(phase=BEFORE_ADDONS), seam('absent', phase=AFTER_ADDONS)])
    table.install(BEFORE_ADDONS, Context())
    assert host.answer is not original
    with pytest.raises(HostMismatch):
        table.install(AFTER_ADDONS, Context())
    assert host.answer is original


def test_a_replacement_that_cannot_be_made_leaves_the_host_as_it_was(host):
    def fails(original, context):
        raise ValueError('no')
    original = host.answer
    table = SeamTable([seam(), seam('Registry.new', Function('cls', 'name'), replace=fails)])
    with pytest.raises(ValueError):
        table.install(AFTER_ADDONS, Context())
    assert host.answer is original


def test_a_seam_can_be_turned_off_by_its_setting(host):
    original = host.answer
    table = SeamTable([seam(setting='shared_answers')])
    table.install(AFTER_ADDONS, Context(shared_answers=False))
    assert host.answer is original
    table.install(AFTER_ADDONS, Context(shared_answers=True))
    assert host.answer is not original


def test_an_optional_seam_is_silent_when_its_addon_is_absent_but_not_when_it_differs(host):
    SeamTable([seam(owner='no_such_addon', optional=True)]).install(AFTER_ADDONS, Context())
    with pytest.raises(HostMismatch):
        SeamTable([seam(expected=Function('other'), optional=True)]).install(AFTER_ADDONS, Context())


def test_an_owner_can_be_found_by_a_function(host):
    registry = host.Registry()

    def the_registry():
        return registry
    table = SeamTable([seam('get', Function('self', 'key', '*rest', '**more'), owner=the_registry,
                            replace=lambda original, context: lambda key: 'ours and ' + original(key))])
    table.install(AFTER_ADDONS, Context())
    assert registry.get('x') == 'ours and host x'
    table.remove()
    assert registry.get('x') == 'host x'
    assert 'get' not in vars(registry)


@pytest.mark.parametrize('shape, found, fault', [
    (Function('request'), lambda request: 0, None),
    (Function('request'), lambda other: 0, 'takes (other), expected (request)'),
    (Function('request'), 3, 'is no Python function'),
    (Class(get=('self',)), type('C', (object,), {'get': lambda self: 0}), None),
    (Class(get=('self',)), type('C', (object,), {}), 'has no method get'),
    (Class(get=('self',)), type('C', (object,), {'get': lambda self, x: 0}),
     'its method get takes (self, x), expected (self)'),
    (Class(get=('self',)), lambda: 0, 'is no class'),
    (Instance('C', 'a'), type('C', (object,), {'a': 1})(), None),
    (Instance('C', 'a'), type('C', (object,), {})(), 'lacks a'),
    (Instance('C', 'a'), type('D', (object,), {})(), 'is a D, expected a C'),
    (Value(dict), {}, None),
    (Value(dict), [], 'is a list, expected dict'),
])
def test_a_shape_says_how_the_host_differs(shape, found, fault):
    assert shape.fault(found) == fault
