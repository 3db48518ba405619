# Needs make and any Python from 3.11 to 3.13. Everything else is installed into .venv.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
CHECKOV := .venv-checkov
PYTHON := $(BIN)/python
HOME_DIR ?= .local

# The first of these that runs, is in the range, and can make an environment.
CANDIDATES := python3.13 python3.12 python3.11 python3 python
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

.DEFAULT_GOAL := help
.PHONY: help venv up down status logs demo test check check-style check-types check-template check-package check-security check-code check-vulnerabilities invoke load parameters bench package preflight deploy resources chalice-deploy chalice-delete destroy cost redrive train-tickets lock clean

help: ## show what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-13s %s\n", $$1, $$2}'

venv: $(VENV)/.installed ## make .venv with everything in it

$(PYTHON):
	@for candidate in $(CANDIDATES); do \
		if "$$candidate" -c '$(SUITABLE)' 2>/dev/null; then \
			echo "making $(VENV) with $$("$$candidate" --version)"; exec "$$candidate" -m venv $(VENV); \
		fi; \
	done; \
	echo "make: found no Python from 3.11 to 3.13 that can make virtual environments" \
		"(on Debian: apt-get install python3-venv)" >&2; exit 1

$(VENV)/.installed: requirements-dev.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.installed-bench: requirements-bench.txt $(VENV)/.installed
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

up: venv ## start the local cloud, or deploy what has changed into it
	@$(PYTHON) -m local up --home "$(HOME_DIR)"

down: venv ## stop the local cloud
	@$(PYTHON) -m local down --home "$(HOME_DIR)"

status: venv ## show the local cloud's processes, ports and health
	@$(PYTHON) -m local status --home "$(HOME_DIR)"

logs: venv ## show what functions logged; FUNCTION=process_flights for one, FOLLOW=1 to go on
	@$(PYTHON) -m local logs --home "$(HOME_DIR)" $(if $(FUNCTION),--function $(FUNCTION)) $(if $(FOLLOW),--follow)

demo: venv ## run the workloads on real input in the local cloud; ONLY=flights for one, KEEP=1 leaves it running
	@$(PYTHON) -m local.demo --home "$(HOME_DIR)" $(if $(ONLY),--only $(ONLY)) $(if $(KEEP),--keep)

invoke: venv ## invoke a function of the local cloud; FUNCTION=process_flights, EVENT=file or its sample
	@$(PYTHON) -m local.invoke $(FUNCTION) $(if $(EVENT),"$(EVENT)") --home "$(HOME_DIR)"

load: venv ## three minutes of everything at once on a local cloud of its own, and nothing lost; DURATION=10
	@$(PYTHON) benchmarks/load.py --seconds $(or $(DURATION),180)

test: venv ## run all tests
	$(PYTHON) -m pytest -q -n 2 --dist loadfile $(TESTS)

check: check-style check-types check-template check-package check-security check-code check-vulnerabilities ## lint, format, types, template, sizes, security, vulnerabilities

check-style: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-code: venv ## hold our code against bandit
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive app.py chalicelib infra local

check-vulnerabilities: venv ## hold what we depend on against known vulnerabilities; OMNIBUS_REQUIRE_AUDIT=1 to insist
	$(PYTHON) -m infra.operate.audit

check-types: $(VENV)/.installed-bench
	$(BIN)/mypy

check-template: venv
	$(PYTHON) -m infra.package --stage dev --code-only --out build/check
	$(BIN)/cfn-lint build/check/sam.json

# checkov pins an older boto3 than the application's: it gets an environment of its own.
$(CHECKOV)/.installed: requirements-checkov.txt | $(PYTHON)
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-checkov.txt
	@touch $@

check-package: venv
	$(PYTHON) -m infra.artifacts

check-security: check-template $(CHECKOV)/.installed ## hold the template that SAM makes of ours against checkov
	$(PYTHON) -m infra.template.plain build/check/sam.json build/check/plain.json
	$(CHECKOV)/bin/checkov --framework cloudformation --file build/check/plain.json --compact --quiet --skip-download

parameters: venv ## write docs/parameters.md
	$(PYTHON) -m infra.package --stage dev --code-only --out build/check
	$(PYTHON) -m infra.template.parameters build/check/sam.json docs/parameters.md

bench: $(VENV)/.installed-bench ## run every benchmark and write benchmarks/results.md; NAMES="app_import" for some
	$(PYTHON) -m benchmarks.run $(NAMES)

package: venv ## package for AWS into dist/; STAGE=prod, RUNTIME=python3.12, ARCHITECTURE=arm64
	$(PYTHON) -m infra.package --stage $(or $(STAGE),dev) --out dist \
		$(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE))

# Every command of a deployment names its stage; docs/deploy.md tells them in order.
WANTED_STAGE = $(or $(STAGE),$(error STAGE is missing: STAGE=dev, staging or prod))
DEPLOYMENT = $(PYTHON) -m infra.deployment

preflight: venv ## name everything that a deployment lacks, and change nothing; STAGE=prod
	@$(PYTHON) -m infra.package --stage $(WANTED_STAGE) --code-only --out build/preflight >/dev/null
	@$(DEPLOYMENT) preflight --stage $(WANTED_STAGE) --package build/preflight

deploy: preflight package ## deploy to AWS by CloudFormation, migrate, look whether it answers; STAGE=prod
	@$(DEPLOYMENT) deploy --stage $(WANTED_STAGE)

resources: preflight package ## make everything but the functions, for `chalice deploy`; STAGE=dev
	@$(DEPLOYMENT) resources --stage $(WANTED_STAGE)

chalice-deploy: venv ## `chalice deploy` over the resources, and what Chalice cannot declare; STAGE=dev
	@$(DEPLOYMENT) chalice-deploy --stage $(WANTED_STAGE)

chalice-delete: venv ## take away what `chalice deploy` made; STAGE=dev
	@$(DEPLOYMENT) chalice-delete --stage $(WANTED_STAGE)

destroy: venv ## delete a stage's stack, not its data; STAGE=dev, CONFIRM=omnibus-dev, EMPTY=1, SECOND_WORD for prod
	@$(DEPLOYMENT) destroy --stage $(WANTED_STAGE) --confirm "$(CONFIRM)" --second-word "$(SECOND_WORD)" $(if $(EMPTY),--empty)

# uv resolves for all Pythons and platforms at once; only who changes a requirement needs it.
LOCK := build/uv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

build/uv/bin/uv: | $(PYTHON)
	$(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.8

lock: build/uv/bin/uv ## pin all that the requirements*.in need, with digests; UPGRADE=1 takes newer ones
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) infra/layers/arrow.in -c requirements.txt -o infra/layers/arrow.txt
	$(LOCK) infra/layers/ml.in -c requirements.txt -c infra/layers/arrow.txt -o infra/layers/ml.txt
	$(LOCK) requirements-dev.in -c requirements.txt -c infra/layers/arrow.txt -c infra/layers/ml.txt \
		-o requirements-dev.txt
	$(LOCK) requirements-bench.in -c requirements-dev.txt -o requirements-bench.txt
	$(LOCK) requirements-checkov.in -o requirements-checkov.txt

train-tickets: venv ## train the ticket model on a generated season, and report how good it is
	$(PYTHON) -m local.season.train

cost: venv ## what a month costs, by workload; DETAILS=1 for every line, JSON=1 for programs
	@$(PYTHON) -m infra.operate.cost $(if $(DETAILS),--details) $(if $(JSON),--json)

redrive: venv ## give a function its dead letters again: FUNCTION=process_flights; STAGE=prod for those in AWS
	$(PYTHON) -m infra.operate.redrive $(FUNCTION) $(if $(STAGE),--stage $(STAGE))

clean: ## remove what is built; not the environment, nor a running cloud
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
