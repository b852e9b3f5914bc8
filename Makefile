# Everyday commands; `make help` lists them. ARGS passes arguments on, as in `make demo ARGS=--once`.

CARGO ?= cargo
ARGS ?=
ROUNDS ?= 25
CHANGES ?= 5000000
PROFILE ?= release
SERVICES := $(CARGO) run --quiet --package tether-services --

.DEFAULT_GOAL := help
.PHONY: help packages build demo lint deny test soak bench bench-start bench-rest bench-runtime bench-cdc bench-jdbc bench-group \
	bench-report services services-connect stop
# Benchmarks would measure each other.
.NOTPARALLEL:

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

BENCHMARKS := bench-start bench-rest bench-runtime bench-cdc bench-jdbc bench-group

bench: $(BENCHMARKS) bench-report ## All of the comparison with the Java worker, for hours, into docs/benchmarks.md; SHORT=yes is a trial

# What a trial leaves out. Its figures say little: they are of one run each, in which Java has hardly compiled.
ifdef SHORT
bench-start: ARGS = --repetitions 1
bench-rest: ARGS = --connectors 1,20 --requests-at 20 --seconds 3
bench-runtime: ARGS = 100B-json --repetitions 1
bench-cdc: ARGS = stream-small-inserts --repetitions 1
bench-jdbc: ARGS = narrow-avro --rows 100000 --repetitions 1
bench-group: ARGS = --workers 2 --connectors 20
endif

BENCH := $(CARGO) bench --profile dev --package tether-tests --bench

bench-start: packages ## Start time and idle memory beside the Java worker: bench-results/start.json
	$(CARGO) build --profile $(PROFILE) --package tether
	TETHER_TEST_BINARY=$(CURDIR)/target/$(PROFILE)/tether $(BENCH) start -- $(ARGS)

bench-rest: packages ## Requests and idle connectors beside the Java worker: bench-results/rest.json; ARGS="--connectors 1,100"
	$(CARGO) build --profile $(PROFILE) --package tether
	TETHER_TEST_BINARY=$(CURDIR)/target/$(PROFILE)/tether $(BENCH) rest -- $(ARGS)

bench-runtime: packages ## Throughput beside the Java worker: bench-results/runtime.json; ARGS="generator --repetitions 1"
	$(CARGO) build --profile $(PROFILE) --package tether-tests --features runtime-bench --bin tether-runtime-bench
	TETHER_TEST_BINARY=$(CURDIR)/target/$(PROFILE)/tether-runtime-bench \
		$(BENCH) runtime --features runtime-bench -- $(ARGS)

bench-cdc: packages ## The PostgreSQL connector beside Debezium: bench-results/cdc.json; ARGS="snapshot --repetitions 1"
	$(CARGO) build --profile $(PROFILE) --package tether
	TETHER_TEST_BINARY=$(CURDIR)/target/$(PROFILE)/tether $(BENCH) cdc -- $(ARGS)

bench-jdbc: packages ## The JDBC sink beside Debezium's: bench-results/jdbc.json; ARGS="upsert --rows 500000 --repetitions 1"
	$(CARGO) build --profile $(PROFILE) --package tether
	TETHER_TEST_BINARY=$(CURDIR)/target/$(PROFILE)/tether $(BENCH) jdbc -- $(ARGS)

bench-group: packages ## A group of workers beside Java's: bench-results/group.json; ARGS="--workers 3 --connectors 50 --only tether"
	$(CARGO) build --profile $(PROFILE) --package tether
	TETHER_TEST_BINARY=$(CURDIR)/target/$(PROFILE)/tether $(BENCH) group -- $(ARGS)

bench-report: ## Only puts results together: bench-results/all.json, tables and charts of docs/benchmarks.md
	$(CARGO) run --quiet --package tether-tests --bin tether-bench-report

services: packages ## Start Kafka, PostgreSQL and a schema registry in the background
	@$(SERVICES) up

services-connect: packages ## The same and the Java Kafka Connect worker
	@$(SERVICES) up --connect

stop: ## Stop what `services` has started
	@$(SERVICES) down
