# -*- coding: utf-8 -*-
"""The OpenID store under python-openid itself, and its seam under auth_openid itself."""
import time

import pytest
from openid.association import Association
from openid.store import nonce
from python_openid import store_test

from oe_cluster_launch.openid_store import RedisOpenIDStore
from oe_cluster_launch.sealing import Sealing, key_file
from oe_cluster_launch.seams.openerp7 import openid as openid_seam
from oe_cluster_launch.seams.seam import AFTER_ADDONS, Seam, SeamTable
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store


class Context(object):
    def __init__(self, redis_server):
        self.settings = load_settings().replace(redis_url=redis_server.url)
        self.store = Store(self.settings)
        self.sealing = Sealing(None, [key_file.new_key()])


@pytest.fixture
def context(redis_server):
    return Context(redis_server)


@pytest.fixture
def installed(host, context):
    table = SeamTable(openid_seam.SEAMS)
    table.install(AFTER_ADDONS, context)
    yield
    table.remove()


def test_python_openids_own_test_of_a_store_passes(context):
    store_test()(RedisOpenIDStore(context.store, context.sealing, Association, lambda: nonce.SKEW))


def test_the_addon_uses_our_store_and_gets_its_own_back(host, context):
    from openerp.addons.auth_openid.controllers.main import OpenIDController
    stock = OpenIDController._store
    table = SeamTable(openid_seam.SEAMS)
    table.install(AFTER_ADDONS, context)
    assert isinstance(OpenIDController()._store, RedisOpenIDStore)
    table.remove()
    assert OpenIDController._store is stock


def test_a_consumer_of_python_openid_refuses_a_replayed_answer_on_another_node(context):
    from openid.consumer.consumer import GenericConsumer
    from openid.message import Message
    a, b = (GenericConsumer(RedisOpenIDStore(context.store, context.sealing, Association, lambda: nonce.SKEW))
            for _ in 'ab')
    message = Message.fromPostArgs({
        'openid.ns': 'http://specs.openid.net/auth/2.0', 'openid.mode': 'id_res',
        'openid.response_nonce': nonce.mkNonce(int(time.time()))})

    class Endpoint(object):
        server_url = 'http://provider.example.org'
    a._idResCheckNonce(message, Endpoint)
    with pytest.raises(Exception, match='Nonce already used'):
        b._idResCheckNonce(message, Endpoint)


def test_the_seam_is_silent_when_the_addon_is_absent(host, context):
    seam = openid_seam.SEAMS[0]
    absent = Seam(seam.name, 'openerp.addons.no_such_addon.controllers.main', seam.attribute, seam.expected,
                  seam.replace, seam.why, setting=seam.setting, optional=True)
    table = SeamTable([absent])
    table.install(AFTER_ADDONS, context)
    assert table.installed == []
