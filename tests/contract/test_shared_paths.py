# -*- coding: utf-8 -*-
"""shared_paths against a real Redis: folders that are the same, and some that only look so."""
import os
import shutil

import pytest

from oe_cluster_launch import shared_paths
from oe_cluster_launch.errors import ConfigurationError
from oe_cluster_launch.settings import load_settings
from oe_cluster_launch.store import Store


@pytest.fixture
def store(redis_server):
    return Store(load_settings().replace(redis_url=redis_server.url))


@pytest.fixture
def share(tmp_path):
    """A function: the folder as one node sees it; all nodes configure the same path."""
    mount = tmp_path / 'mount'

    def seen_by(folder):
        if mount.is_symlink():
            mount.unlink()
        (tmp_path / folder).mkdir(exist_ok=True)
        mount.symlink_to(tmp_path / folder)
        return str(mount)
    return seen_by


def test_nodes_that_share_the_folder_find_each_others_probes(store, share):
    for node in ('a', 'b', 'a'):
        shared_paths.verify(store, [share('export')], node)


def test_a_node_without_the_mount_is_refused_and_told_whose_folder_is_missing(store, share):
    shared_paths.verify(store, [share('export')], 'a')
    with pytest.raises(ConfigurationError) as caught:
        shared_paths.verify(store, [share('local disk of b')], 'b')
    assert 'node a' in str(caught.value) and 'Mount the same share' in str(caught.value)
    shared_paths.verify(store, [share('export')], 'a')


def test_a_copy_made_before_the_others_start_is_no_share(store, share, tmp_path):
    shared_paths.verify(store, [share('export')], 'a')
    shutil.copytree(str(tmp_path / 'export'), str(tmp_path / 'copy'))
    shared_paths.verify(store, [share('export')], 'a')
    with pytest.raises(ConfigurationError):
        shared_paths.verify(store, [share('copy')], 'b')


def test_a_folder_that_is_not_there_is_a_fault_and_is_not_made(store, tmp_path):
    missing = str(tmp_path / 'missing')
    with pytest.raises(ConfigurationError) as caught:
        shared_paths.verify(store, [missing], 'a')
    assert 'cannot be written' in str(caught.value)
    assert not os.path.exists(missing)


def test_every_folder_has_a_fault_of_its_own(store, tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        shared_paths.verify(store, [str(tmp_path / 'x'), str(tmp_path / 'y')], 'a')
    assert len(caught.value.faults) == 2


def test_marks_end_by_their_time_to_live(store, share, redis_server):
    path = share('export')
    shared_paths.verify(store, [path], 'a')
    left = int(redis_server.ask('PTTL', store.keys.shared_path(path)))
    assert 0 < left <= shared_paths.REMEMBER_SECONDS * 1000


def test_a_folder_below_a_shared_one_is_covered_one_beside_it_is_not(tmp_path):
    shared = tmp_path / 'share'
    (shared / 'filestore').mkdir(parents=True)
    (tmp_path / 'share2').mkdir()
    (tmp_path / 'link').symlink_to(shared / 'filestore')
    assert shared_paths.covers([str(shared)], str(shared / 'filestore' / 'db'))
    assert shared_paths.covers([str(shared)], str(tmp_path / 'link' / 'db'))
    assert not shared_paths.covers([str(shared)], str(tmp_path / 'share2'))
    assert not shared_paths.covers([], str(shared))
