# -*- coding: utf-8 -*-
"""Random faults; CHAOS_ROUNDS and CHAOS_SEED choose how many and which."""
import os
import random

import pytest
from chaos import ChaosCluster, run, summary
from testbed import session

ROUNDS = int(os.environ.get('CHAOS_ROUNDS', 30))
SEED = int(os.environ.get('CHAOS_SEED', random.SystemRandom().randrange(10 ** 6)))


@pytest.fixture
def chaos_cluster(postgres, database, redis_server_of):
    made = ChaosCluster(session.fresh_folder('chaos'), postgres, redis_server_of(persistent=True),
                        database('tpl_base'))
    yield made.start()
    made.kill_all()


def test_no_job_overlaps_runs_twice_or_waits_too_long(chaos_cluster):
    print("chaos: %d rounds, seed %d" % (ROUNDS, SEED))
    played, found = run(chaos_cluster, ROUNDS, SEED)
    print(summary(played, chaos_cluster, SEED))
    assert found == [], "seed %d" % SEED
    late = [each for each in played if each.seconds > each.allowed]
    assert late == [], "seed %d" % SEED
    assert len(chaos_cluster.witness.executions()) > 3 * ROUNDS, "the witness must have seen something"
