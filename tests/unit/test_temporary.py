# -*- coding: utf-8 -*-
"""A worker's own folder for temporary files: made, inherited, removed, swept up."""
import os
import signal
import subprocess
import sys

import pytest
from testbed.waiting import wait_until

from oe_cluster_launch.supervisor import temporary

WORKER = '''
import os, sys, tempfile
from oe_cluster_launch.supervisor import temporary
temporary.enter()
open(os.path.join(tempfile.gettempdir(), 'rest'), 'w').close()
os.system('echo > "$TMPDIR/of a child"')
print(tempfile.gettempdir()); sys.stdout.flush()
sys.stdin.readline()
'''


@pytest.fixture
def worker(tmp_path):
    """A function that starts a worker; returns the process and its folder."""
    started = []

    def start():
        environment = dict(os.environ, TMPDIR=str(tmp_path), PYTHONPATH=':'.join(sys.path))
        process = subprocess.Popen([sys.executable, '-c', WORKER], env=environment,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        return process, process.stdout.readline().decode().strip()
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def end(process):
    process.stdin.close()
    process.wait()


def test_each_worker_has_a_folder_of_its_own_for_itself_and_its_children(worker, tmp_path):
    (_, first), (_, second) = worker(), worker()
    assert first != second
    for folder in (first, second):
        assert os.path.dirname(folder) == str(tmp_path)
        assert sorted(os.listdir(folder)) == ['of a child', 'rest']
        assert os.stat(folder).st_mode & 0o077 == 0


def test_the_folder_goes_when_the_worker_ends(worker):
    process, folder = worker()
    end(process)
    assert not os.path.exists(folder)


def test_what_a_killed_worker_leaves_is_removed_by_the_next(worker):
    process, folder = worker()
    process.send_signal(signal.SIGKILL)
    wait_until(lambda: process.poll() is not None, 5, "it is dead")
    assert os.path.exists(folder)
    _, living = worker()
    assert not os.path.exists(folder)
    assert os.path.exists(living)


def test_folders_of_other_containers_and_of_living_workers_stay(worker, tmp_path):
    _, living = worker()
    foreign = tmp_path / ('oe-worker-1-%d-1-x' % 999999)
    foreign.mkdir()
    temporary.remove_left_behind(str(tmp_path))
    assert os.path.exists(living) and foreign.exists()
