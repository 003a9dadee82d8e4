# -*- coding: utf-8 -*-
"""Writes conf/nginx.conf and systemd/* from the templates, for conf/node.conf and its neighbours.

    python3 docs/generate_examples.py

tests/test_examples.py fails when the committed files differ.
"""
import io
import os
import sys

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, PROJECT)

from oe_cluster_launch.compat import to_text  # noqa: E402
from oe_cluster_launch.deployment import nginx, systemd  # noqa: E402
from oe_cluster_launch.settings import load_settings  # noqa: E402

NODES = [('10.0.0.11', 8069), ('10.0.0.12', 8069), ('10.0.0.13', 8069)]
TLS = ('/etc/ssl/erp.example.com.pem', '/etc/ssl/private/erp.example.com.key')
LAUNCHER = '/opt/oe-cluster/bin/oe-cluster-launch'


def examples():
    """{path below the project: text}"""
    settings = load_settings(os.path.join(PROJECT, 'conf', 'node.conf'), {})
    found = {os.path.join('systemd', name): systemd.unit(kind, settings, LAUNCHER, '/etc/oe-cluster')
             for kind, name in systemd.FILES.items()}
    found[os.path.join('conf', 'nginx.conf')] = nginx.site(
        settings, [nginx.place(settings, node) for node in NODES], server_name='erp.example.com', tls=TLS)
    return found


if __name__ == '__main__':
    for path, text in examples().items():
        with io.open(os.path.join(PROJECT, path), 'w', encoding='utf-8') as target:
            target.write(to_text(text))
