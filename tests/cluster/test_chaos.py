# -*- coding: utf-8 -*-
"""Random faults; CHAOS_ROUNDS and CHAOS_SEED choose how many and which."""
import os
import random

import pytest
from chaos import HOLDS, run, summary
from chaos_world import TIMES, World
from testbed import session

ROUNDS = int(os.environ.get('CHAOS_ROUNDS', 30))
SEED = int(os.environ.get('CHAOS_SEED', random.SystemRandom().randrange(10 ** 6)))


@pytest.fixture
def world(request, postgres, database):
    made = World(session.fresh_folder('chaos'), postgres, database('tpl_base'),
                 sentinels=request.param == 'sentinels')
    yield made.start()
    made.kill_all()


@pytest.mark.parametrize('world', ['one_redis', 'sentinels'], indirect=True)
def test_no_job_overlaps_runs_twice_or_waits_too_long(world):
    """Half of the rounds with each."""
    rounds = max(1, ROUNDS // 2)
    print("\nchaos with %s: %d rounds, seed %d, TTL %s; nodes are cut off by %s; clocks jump by libfaketime"
          % ("three Sentinels" if world.trio else "one Redis", rounds, SEED, TIMES['cron_lease_ttl'],
             world.cables.how))
    played, found = run(world, rounds, SEED, HOLDS if ROUNDS > 30 else HOLDS[:-1])
    print(summary(played, world, SEED))
    assert found == [], "seed %d" % SEED
    assert len(world.witness.executions()) > 3 * rounds, "the witness must have seen something"
