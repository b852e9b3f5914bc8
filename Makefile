# Everyday commands; `make help` lists them. ARGS passes arguments on, as in `make demo ARGS=--once`.

CARGO ?= cargo
ARGS ?=
ROUNDS ?= 25
CHANGES ?= 5000000
PROFILE ?= release
SERVICES := $(CARGO) run --quiet --package tether-services --

.DEFAULT_GOAL := help
.PHONY: help packages build demo lint deny test soak bench-start bench-runtime bench-cdc bench-jdbc bench-group services services-connect stop

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

packages: ## Install the Debian packages that are missing, or name them
	@tests/services/packages.sh

build: packages ## Build the release binary, target/release/tether
	$(CARGO) build --release --package tether

demo: packages ## Run a pipeline without anything installed; ARGS=--once ends by itself
	$(CARGO) run --package tether -- demo $(ARGS)

TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tether/tools

lint: packages ## Check formatting, lints, and what docker/ has
	$(CARGO) fmt --all --check
	docker/check.sh $(TOOLS)
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings

$(TOOLS)/bin/cargo-deny:
	$(CARGO) install --quiet --locked --root $(TOOLS) cargo-deny@0.20.2

deny: $(TOOLS)/bin/cargo-deny ## Check licences, sources and bans of dependencies
	$(CARGO) fetch --locked
	$(TOOLS)/bin/cargo-deny --offline check --hide-inclusion-graph bans licenses sources

# Some tests take turns, and those that wait for theirs do nothing.
test: export RUST_TEST_THREADS ?= 4
test: packages ## Run all tests against real services; ARGS go to `cargo test`
	$(CARGO) test --workspace --no-run
	$(SERVICES) run -- $(CARGO) test --workspace $(ARGS)

soak: packages ## Restart and kill everything for more than an hour; ROUNDS says how often, CHANGES how many rows change
	$(CARGO) build --release --package tether
	TETHER_TEST_BINARY=$(CURDIR)/target/release/tether TETHER_TEST_ROUNDS=$(ROUNDS) \
		TETHER_TEST_CHANGES=$(CHANGES) $(SERVICES) run -- \
		$(CARGO) test --package tether-tests --features soak --test integration -- exactly_once:: faults:: takeover:: differential:: under_load:: cluster::

bench-start: packages ## Start time and idle memory beside the Java worker: bench-results/start.json
	$(CARGO) build --release --package tether
	TETHER_TEST_BINARY=$(CURDIR)/target/release/tether \
		$(CARGO) bench --profile dev --package tether-tests --bench start

bench-runtime: packages ## Throughput beside the Java worker: bench-results/runtime.json; ARGS="generator --repetitions 1"
	$(CARGO) build --profile $(PROFILE) --package tether-tests --features runtime-bench --bin tether-runtime-bench
	TETHER_TEST_BINARY=$(CURDIR)/target/$(PROFILE)/tether-runtime-bench \
		$(CARGO) bench --profile dev --package tether-tests --features runtime-bench --bench runtime -- $(ARGS)

bench-cdc: packages ## The PostgreSQL connector beside Debezium: bench-results/cdc.json; ARGS="snapshot --repetitions 1"
	$(CARGO) build --profile $(PROFILE) --package tether
	TETHER_TEST_BINARY=$(CURDIR)/target/$(PROFILE)/tether \
		$(CARGO) bench --profile dev --package tether-tests --bench cdc -- $(ARGS)

bench-jdbc: packages ## The JDBC sink beside Debezium's: bench-results/jdbc.json; ARGS="upsert --rows 500000 --repetitions 1"
	$(CARGO) build --profile $(PROFILE) --package tether
	TETHER_TEST_BINARY=$(CURDIR)/target/$(PROFILE)/tether \
		$(CARGO) bench --profile dev --package tether-tests --bench jdbc -- $(ARGS)

bench-group: packages ## A group of workers beside Java's: bench-results/group.json; ARGS="--workers 3 --connectors 50 --only tether"
	$(CARGO) build --profile $(PROFILE) --package tether
	TETHER_TEST_BINARY=$(CURDIR)/target/$(PROFILE)/tether \
		$(CARGO) bench --profile dev --package tether-tests --bench group -- $(ARGS)

services: packages ## Start Kafka, PostgreSQL and a schema registry in the background
	@$(SERVICES) up

services-connect: packages ## The same and the Java Kafka Connect worker
	@$(SERVICES) up --connect

stop: ## Stop what `services` has started
	@$(SERVICES) down
