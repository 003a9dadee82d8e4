# -*- coding: utf-8 -*-
"""Package of oe-cluster-launch; the map of the code is the docstring of oe_cluster_launch."""
import io
import os
import re

from setuptools import find_packages, setup

HERE = os.path.dirname(os.path.abspath(__file__))


def read(*path):
    with io.open(os.path.join(HERE, *path), encoding='utf-8') as source:
        return source.read()


setup(
    name='oe-cluster-launch',
    version=re.search(r"__version__ = '([^']+)'", read('oe_cluster_launch', '__init__.py')).group(1),
    description='Turns several OpenERP 7.0 servers into one cluster',
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    license='AGPL-3.0-or-later',
    author='The oe-cluster-launch maintainers',
    packages=find_packages(include=['oe_cluster_launch', 'oe_cluster_launch.*']),
    package_data={'oe_cluster_launch.deployment': ['templates/*'],
                  'oe_cluster_launch.status': ['page.css', 'page.js'],
                  'oe_cluster_launch.store': ['lua/*.lua']},
    python_requires='>=2.7, !=3.0.*, !=3.1.*, !=3.2.*, !=3.3.*, !=3.4.*, !=3.5.*, !=3.6.*, !=3.7.*, !=3.8.*',
    # Upper bounds where a later major version is known to differ; the exact
    # set that is tested is in requirements/.
    install_requires=[
        'Jinja2>=2.7',
        'cryptography>=3.3',
        'gunicorn>=19.10,<28',
        'monotonic>=1.5; python_version < "3"',
        'prometheus_client>=0.12,<1',
        'redis>=3.5.3,<9',
        'setproctitle>=1.1.10',
        'werkzeug>=0.9.6',
    ],
    extras_require={
        'fast': ['hiredis>=1.1', 'lru-dict>=1.2'],
    },
    entry_points={'console_scripts': ['oe-cluster-launch = oe_cluster_launch.cli:main']},
    classifiers=[
        'Environment :: No Input/Output (Daemon)',
        'Intended Audience :: System Administrators',
        'License :: OSI Approved :: GNU Affero General Public License v3 or later (AGPLv3+)',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 2.7',
        'Programming Language :: Python :: 3',
        'Topic :: Office/Business :: Financial :: Accounting',
    ],
)
