# Everything starts here: `make help`. The work is done by tests/testbed.

TESTBED = cd tests && python3 -m testbed
STATE_FOLDER = $$($(TESTBED) where)
PY3 = $(STATE_FOLDER)/py3/bin
PY27 = $(STATE_FOLDER)/py27/bin

.PHONY: help run stop clean test test-fast install install-fast lint project unit contract seams cluster chaos \
        bench bench-compare
.DEFAULT_GOAL := help

help:        ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/ #/' | column -t -s '#' | sed 's/^/  make /'

run:         ## install what is missing and start a demo cluster (OPENERP=PATH: your own OpenERP 7.0)
	@$(TESTBED) run

stop:        ## stop the demo cluster
	@$(TESTBED) stop

clean:       ## stop everything and delete what was installed into the state folder
	@$(TESTBED) clean

test: install lint project unit contract seams cluster  ## everything: lint, Python 2.7 and 3, real clusters

test-fast: install-fast lint project unit  ## what needs no OpenERP, in under a minute

install:     ## install what the tests need, start nothing
	@$(TESTBED) install

install-fast:
	@$(TESTBED) install-fast

lint:        ## ruff
	@echo; echo "== lint"
	@$(PY3)/ruff check

project:     ## the import rule; the reference page and the examples against the code
	@echo; echo "== project"
	@$(PY3)/python -m pytest tests/test_*.py $(ARGS)

unit:        ## unit tests on Python 3 and Python 2.7
	@echo; echo "== unit tests, Python 3"
	@$(PY3)/pytest tests/unit $(ARGS)
	@echo; echo "== unit tests, Python 2.7"
	@$(PY27)/pytest tests/unit $(ARGS)

contract:    ## tests against real Redis servers, on Python 3 and Python 2.7
	@echo; echo "== contract tests, Python 3"
	@$(PY3)/pytest tests/contract $(ARGS)
	@echo; echo "== contract tests, Python 2.7"
	@$(PY27)/pytest tests/contract $(ARGS)

seams:       ## tests inside OpenERP's process, Python 2.7
	@echo; echo "== seam tests, Python 2.7"
	@$(PY27)/pytest tests/seams $(ARGS)

cluster:     ## tests against whole clusters
	@echo; echo "== cluster tests"
	@$(PY3)/pytest tests/cluster $(ARGS)

chaos:       ## 300 rounds of random faults on three nodes (ROUNDS=, SEED=); output kept in docs/chaos.txt
	@mkdir -p docs $(STATE_FOLDER)/log; export CHAOS_ROUNDS=$(or $(ROUNDS),300) CHAOS_SEED=$(or $(SEED),$$$$); \
	$(PY3)/pytest tests/cluster/test_chaos.py -s -k one_redis > docs/chaos.txt 2>&1 & one=$$!; \
	$(PY3)/pytest tests/cluster/test_chaos.py -s -k sentinels > $(STATE_FOLDER)/log/chaos.txt 2>&1; two=$$?; \
	wait $$one; one=$$?; cat $(STATE_FOLDER)/log/chaos.txt >> docs/chaos.txt; cat docs/chaos.txt; \
	test $$one = 0 -a $$two = 0

bench:       ## measure against stock, gunicorn and the recipe, under 20 minutes (QUICK=1: 3); docs/benchmarks
	@$(TESTBED) install-benchmark
	@$(PY3)/python -m benchmarks run

bench-compare:  ## hold the newest run against the committed one
	@$(PY3)/python -m benchmarks compare
