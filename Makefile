# Everything that is done to Portatill from a checkout. `make` alone prints the targets; the work of a target that
# needs more than a line is a script in build/, so that it can be read and run without make.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run demo setup test generate verify lint fuzz races sim mutants bench cover build clients e2e screenshots sizes clean

# How long each fuzz target runs: make fuzz FUZZTIME=5m
FUZZTIME ?= 30s
# How often races runs each race: make races ROUNDS=20
ROUNDS ?= 200
# What bench measures: make bench BENCH=Settle
BENCH ?= .
# How many payments the largest year has whose books bench proves; it is made once, in minutes, and kept in the
# temporary directory: make bench BENCH='Proof|Verify' BENCH_PAYMENTS=100000
BENCH_PAYMENTS ?= 1000000
# Which schedules sim runs: make sim SEEDS=20000 FIRST=5000, or one of them, step by step: make sim SEED=4711
SEEDS ?= 2000
FIRST ?= 1
SEED ?=
# How many requests for money the demo has: make demo ORDERS=500
ORDERS ?= 5000
# Which seeded bugs mutants tries, by a part of their names: make mutants MUTANT='the fee'
MUTANT ?=
# Version and time come from git where there is one; a tarball builds without.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || true)

help: ## print this list
	@sed -nE 's/^([a-z0-9]+):.*## (.*)$$/  make \1\t\2/p' $(MAKEFILE_LIST) | column -t -s "$$(printf '\t')" 2>/dev/null \
		|| sed -nE 's/^([a-z0-9]+):.*## (.*)$$/  make \1: \2/p' $(MAKEFILE_LIST)

run: ## start the till with a Stripe of its own on a fresh temporary database
	@build/run.sh

demo: ## the same with six months of business in it: ORDERS (5000) of three resellers; PORTATILL_DATABASE_URL keeps it
	@build/run.sh demo --orders $(ORDERS)

setup: ## install what tests need and is missing (Debian packages, node_modules); nothing to do takes no time
	@build/setup.sh

test: ## everything CI runs: setup, verify, lint, Go tests (race, SQLite and PostgreSQL), browser tests
	@build/test.sh

generate: ## write generated code, the stylesheet and .env.example anew
	@build/generate.sh

verify: setup ## fail when generated files, go.mod or the formatting are not what they should be
	@build/verify.sh

lint: ## golangci-lint: the import arrows of docs/architecture.md and the checks of .golangci.yml
	@build/lint.sh
	@build/lint-bites.sh

fuzz: ## run every fuzz target for FUZZTIME (30s)
	@FUZZTIME=$(FUZZTIME) build/fuzz.sh

races: setup ## every race of the money suite, ROUNDS (200) rounds of up to 50 at once, on both databases
	PORTATILL_TEST_RACE_ROUNDS=$(ROUNDS) build/postgres.sh go test -count=1 -timeout 60m -v -run '^TestOnceHoweverManyAtOnce$$' ./pay

sim: ## run SEEDS (2000) simulated schedules from FIRST (1), or tell the steps of one SEED
	@SEEDS=$(SEEDS) FIRST=$(FIRST) SEED=$(SEED) build/sim.sh

mutants: setup ## put each seeded bug of build/mutants/catalogue into the code, and hold its test to catch it; MUTANT='the fee' picks some
	@build/postgres.sh go run ./build/mutants "$$MUTANT"

bench: ## Go benchmarks on both databases; BENCH=regexp picks some, BENCH_PAYMENTS (1000000) is the largest year
	@PORTATILL_BENCH_PAYMENTS=$(BENCH_PAYMENTS) build/postgres.sh go test -p 1 -run '^$$' -bench '$(BENCH)' -benchmem -timeout 4h ./...

cover: setup ## Go tests with coverage; bin/cover.html shows what no test reached
	@mkdir -p bin
	@build/postgres.sh go test -count=1 -coverpkg=./... -coverprofile=bin/cover.out ./...
	@go tool cover -html=bin/cover.out -o bin/cover.html
	@go tool cover -func=bin/cover.out | tail -n 1

build: ## bin/portatill
	@mkdir -p bin
	go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/portatill ./cmd/portatill

e2e: setup build ## browser tests only
	@PORTATILL_BIN=$(CURDIR)/bin/portatill npm run --silent test:e2e -- --project=product
	@PORTATILL_BIN=$(CURDIR)/bin/portatill npm run --silent test:e2e -- --project=weight --no-deps

clients: setup build ## ServiceStack's own clients from npm against the built binary
	@npm --prefix e2e/clients ci --no-audit --no-fund
	@npm --prefix e2e/clients test

screenshots: setup build ## every page, light and dark, desktop and phone, into e2e/artifacts/screenshots; those of docs/ into docs/pictures
	@PORTATILL_BIN=$(CURDIR)/bin/portatill npm run --silent test:e2e -- --project=screenshots
	@PORTATILL_BIN=$(CURDIR)/bin/portatill PORTATILL_PICTURES=1 npm run --silent test:e2e -- --project=pictures --update-snapshots=changed

sizes: build ## figures: size of the binary, time until ready, memory when idle
	@build/sizes.sh

clean: ## remove what was built (not node_modules)
	rm -rf bin e2e/artifacts
