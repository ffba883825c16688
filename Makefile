# hellochaos. `make` alone lists the targets.
GO    ?= go
SEEDS ?= 20
FUZZ  ?= 20s

.DEFAULT_GOAL := help
.PHONY: help demo test build check verify bench fuzz

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## the tour: five stages on the embedded mesh, each with its verdict
	./bin/hellochaos run all --fail 0.3 --seed 1

# One package at a time: several of them send load, and two that share the machine would be late.
test: ## all tests, with the race detector
	$(GO) test -race -p 1 ./...

build: ## bin/hellochaos and bin/hello-service
	$(GO) build -o bin/ ./cmd/...

check: ## what every commit must pass: gofmt, vet, staticcheck, go mod tidy, tests
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	$(MAKE) test

verify: ## each --break on SEEDS seeds must fail, `run all` on SEEDS seeds must pass; prints docs/verification.md's table
	$(GO) test ./cmd/hellochaos -run '^TestVerifier$$' -count 1 -timeout 90m -v -seeds $(SEEDS)

bench: ## the benchmarks of every hot path
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## each fuzz target for FUZZ
	@set -e; for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || :); do \
	    echo "$$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ) $$package; \
	  done; \
	done
