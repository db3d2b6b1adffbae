# The two commands of the README: `make run` and `make test`. `make help` lists the others.
PYTHON ?= python3
ADDRESS ?= 127.0.0.1:8000
PYTEST ?= .venv/bin/pytest -n 2 -q --dist worksteal
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test test-sqlite test-postgres check tour messages docs soak bench

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the locked dependencies, build assets and translations
	@$(PYTHON) scripts/setup

setup-dev: ## the same, with the tools for tests and checks
	@$(PYTHON) scripts/setup --dev

run: setup ## set up, load the demo cases into an empty database, and serve on http://127.0.0.1:8000
	@CONSILIUM_DEMO=1 .venv/bin/consilium demo --if-empty
	@CONSILIUM_DEMO=1 .venv/bin/consilium serve --bind $(ADDRESS)

test: setup-dev ## run the whole suite on SQLite, then on PostgreSQL
	@scripts/test_packages
	@$(MAKE) --no-print-directory test-sqlite test-postgres

test-sqlite:
	@echo "== the suite on SQLite"
	@env -u DATABASE_URL $(PYTEST)

test-postgres:
	@echo "== the suite on PostgreSQL"
	@scripts/with_postgres $(PYTEST)

check: setup-dev ## formatting, lint, types, layers, templates, budgets, translations, migrations, generated pages
	@scripts/test_packages
	@.venv/bin/python scripts/check

tour: setup-dev ## walk one case from sign-up to signed report over real HTTP, into build/tour/
	@scripts/test_packages
	@.venv/bin/python -m e2e.tour

messages: setup-dev ## collect texts for translation and compile the catalogues
	@.venv/bin/python -m django makemessages --settings consilium.config.settings -l de --no-obsolete --no-location --no-wrap \
		--ignore '.venv*' --ignore 'node_modules' --ignore 'build' --ignore 'var'
	@scripts/compile_messages

docs: setup-dev ## write the generated reference pages
	@.venv/bin/python scripts/generate_docs

soak: setup-dev ## run the suite five times in random order, to find tests that only sometimes pass
	@for round in 1 2 3 4 5; do $(PYTEST) || exit 1; done

bench: setup-dev ## measure the data plane beside Orthanc, into bench/results.md (ROUNDS=7 SMALL=1 ONLY=row,row)
	@scripts/bench_packages
	@ROUNDS="$(ROUNDS)" SMALL="$(SMALL)" ONLY="$(ONLY)" .venv/bin/python -m bench
