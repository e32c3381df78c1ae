# Needs Python 3.13, git and make; everything else is installed into .venv and .tools of this folder.

PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
REQUIREMENTS := requirements/development.txt
EXTRAS := core git models sandbox bridge
export UV_PYTHON_DOWNLOADS ?= automatic

.PHONY: setup cdk-setup dev test lint types unit integration product stack e2e scenarios browser infrastructure deployed-by-cdk deployed-by-terraform requirements clean bench generated

setup: .venv/.ready

$(UV): requirements/uv.txt
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt

.venv/.ready: $(UV) $(REQUIREMENTS) pyproject.toml
	$(UV) venv --quiet --allow-existing --python 3.13 .venv
	$(UV) pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes $(REQUIREMENTS)
	$(UV) pip install --quiet --python .venv/bin/python --no-build-isolation --no-deps --editable .
	touch $@

cdk-setup: .cdk/.ready

# The command line is an npm package, run by the Node of this environment: a machine needs none of its own.
.cdk/.ready: $(UV) requirements/cdk.txt cdk/package-lock.json
	$(UV) venv --quiet --allow-existing --python 3.13 .cdk
	$(UV) pip sync --quiet --python .cdk/bin/python --require-hashes requirements/cdk.txt
	printf '%s\n' "$(CURDIR)/layers/core/python" "$(CURDIR)" > "$$(.cdk/bin/python -c 'import site; print(site.getsitepackages()[0])')/discord_agent.pth"
	cd cdk && PATH="$(CURDIR)/.cdk/bin:$$PATH" npm ci --silent --no-audit --no-fund
	touch $@

dev: setup
	$(BIN)/discord-agent dev

# The two halves of the integration tests need a process each: moto's mock and its interpreter disturb each other.
# What was granted and no test has used is told at the end.
test: export DISCORD_AGENT_USED_GRANTS = $(CURDIR)/.local/used-grants
test: setup lint types
	rm -rf .local/used-grants
	$(MAKE) --no-print-directory -j2 --output-sync=target unit product stack
	$(MAKE) --no-print-directory -j2 --output-sync=target e2e scenarios browser
	$(MAKE) --no-print-directory infrastructure
	$(BIN)/discord-agent iam --used .local/used-grants

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

unit: setup
	$(BIN)/pytest tests/unit

integration: product stack

product: setup
	$(BIN)/pytest tests/integration --ignore=tests/integration/devstack --ignore=tests/integration/statemachines

stack: setup
	$(BIN)/pytest tests/integration/devstack tests/integration/statemachines

e2e: setup
	$(BIN)/pytest tests/e2e --ignore=tests/e2e/test_playground.py --ignore=tests/e2e/test_scenarios.py

scenarios: setup
	$(BIN)/pytest tests/e2e/test_scenarios.py

# Deployments by the CDK and Terraform on the emulator; each names what this machine lacks for it.
infrastructure: setup cdk-setup
	$(MAKE) --no-print-directory -j2 --output-sync=target deployed-by-cdk deployed-by-terraform

deployed-by-cdk: setup cdk-setup
	$(BIN)/pytest tests/infrastructure/cdk tests/infrastructure/test_demo_against_cdk.py tests/infrastructure/test_packages.py

deployed-by-terraform: setup cdk-setup
	$(BIN)/pytest tests/infrastructure/terraform tests/infrastructure/test_demo_against_terraform.py

browser: setup
	$(BIN)/pytest tests/e2e/test_playground.py

bench: setup
	$(BIN)/discord-agent bench main-job --json
	$(BIN)/discord-agent bench turn --json
	$(BIN)/discord-agent bench package --json

# What is kept in the repository and made of the declaration; tests fail while it is out of date.
generated: setup
	$(BIN)/discord-agent declaration --write
	$(BIN)/discord-agent docs --write

# Resolves anew; the files name versions and hashes, never a host. What is deployed is pinned to what is tested.
requirements: $(UV)
	printf 'uv\n' | $(UV) pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.13 --output-file requirements/uv.txt -
	$(UV) pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.13 --group pyproject.toml:cdk --output-file requirements/cdk.txt
	$(UV) pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.13 --all-extras --output-file requirements/development.txt pyproject.toml
	for extra in $(EXTRAS); do \
	  $(UV) pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.13 --constraints requirements/development.txt --extra $$extra --output-file requirements/$$extra.txt pyproject.toml || exit 1; \
	done

clean:
	rm -rf .venv .tools .cdk .local .mypy_cache .ruff_cache
