# -*- coding: utf-8 -*-
"""One node of the cluster runs the scheduled jobs; which one, is settled here.

`lease.py` is the mechanism (who holds it, until when), `election.py` the
decision (facts in, action and sentence out), `agent.py` the effect (campaign,
start and stop cron workers). `tenure.py` is what the agent shares with its
workers, `crew.py` keeps those workers, `history.py` tells who led when.
Nothing here knows what a job is: the host's seam runs jobs.
"""
