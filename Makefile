# raresync: everything a person types while changing the project.
#
# The version stamped into the binary is what git calls the commit, or dev
# where there is no git, as in a source archive.

GO          ?= go
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
SOAK        ?= 10m
PROOF       ?=
UNITS        = $$($(GO) list ./... | grep -v /integration)

.DEFAULT_GOAL := help
.PHONY: help build test race faults soak prove lint check demo bench clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 9

build: ## build bin/raresync: static, reproducible, stamped with its version
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/raresync ./cmd/raresync

test: ## run every test, networks of real processes included
	$(GO) test -timeout 15m ./...

# Scripts play commands one after the other, each a process, as integration
# does; make test runs them.
race: ## run the unit tests with the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -timeout 15m -skip '^TestScripts$$' $(UNITS)

FAULTY = Planted|APowerCut|KilledAtAStep
faults: ## run the tests of a build that makes mistakes and crashes when told to
	$(GO) test -tags faults -timeout 15m -run '$(FAULTY)' ./consensus/... ./integration

soak: ## simulate a network under faults for SOAK (10m), or again from SIM_SEED
	SOAK=$(SOAK) $(GO) test -count=1 -timeout 0 -v -run TestNetworkKeepsItsPromisesUnderFaults ./consensus

prove: ## run the six proofs at their full counts (root, an hour), or PROOF='chaos'
	@mkdir -p bin
	@$(GO) run ./integration/prove -log bin/prove.log $(PROOF)

lint: ## check formatting, vet, staticcheck, modernisation and tidy modules
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:" $$unformatted; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) fix -diff ./...
	$(GO) mod tidy -diff

check: lint race ## what a reviewer runs: lint and race

demo: build ## run a small network on this machine, up to a verified checkpoint
	@bin/raresync demo

BENCH ?=
bench: build ## measure on this disk, beside plain Raft and etcd; BENCH='-parts windows -rounds 9' for some
	$(GO) build -o bin/bench ./integration/bench
	@bin/bench -binary bin/raresync -out bin/bench.json $(BENCH)

clean: ## remove what build made
	rm -rf bin
