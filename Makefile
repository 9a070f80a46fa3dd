# raresync: everything a person types while changing the project.
#
# The version stamped into the binary is what git calls the commit, or dev
# where there is no git, as in a source archive.

GO          ?= go
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
SOAK        ?= 10m
FUZZ        ?= 20s
PROOF       ?=
UNITS        = $$($(GO) list ./... | grep -v '/integration\|/registry/\|/crypto/\|/consensus/state\|/configs')

# What is tested is compiled as what is shipped: without C, and with no path of
# this machine in it. So tests and builds share what the compiler has done.
export CGO_ENABLED ?= 0
export GOFLAGS     ?= -trimpath

.DEFAULT_GOAL := help
.PHONY: help build dist package test race faults canary erasure membership network systemd soak fuzz prove lint check demo bench morning clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 9

build: ## build bin/raresync: static, reproducible, stamped with its version
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/raresync ./cmd/raresync

dist: ## build what hospitals get, into dist/: archives, .deb, .rpm (with rpmbuild), source, checksums
	configs/package/build.sh $(VERSION) dist

# Networks of processes wait more than they compute: they start first, and one
# package more than there are cores runs beside them.
JOBS = -p $$(( $$(nproc) + 1 ))
test: ## run every test, networks of real processes included
	$(GO) test $(JOBS) -timeout 18m ./integration/... ./...

# registry, crypto, configs and consensus/state start no goroutines. Scripts play commands one after the
# other, each a process, as integration does, files are read and figures counted by one goroutine, and long stories in false time do
# what shorter tests do; make test runs all of them.
LONG = TestScripts|TestHostileFiles|TestOneListGivesTheSameEntriesInEveryFormat|TestIdentityVectorsThroughEveryFormat|TestPromisesHold.*|TestNetworkKeepsItsPromisesUnderFaults|$(WAITS)|$(FIGURES)
FIGURES = TestPublishedCasesThroughTwoHospitals|Test.*IndependentRecount.*|TestAnswersAgreeWithTheRecount|TestReportsCountWhatReadersCount|TestWhoHasStoppedAUseIsInNoFigureOfIt
WAITS = TestFollowerThatRefusedForAMomentCatchesUp|TestVoterThatLostPartOfItsFiles.*|TestDamaged.*
race: ## run the unit tests with the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race $(JOBS) -timeout 15m -skip '^($(LONG))$$' $(UNITS)

FAULTY = Planted|APowerCut|NetworkKilled
faults: ## run the tests of a build that makes mistakes and crashes when told to
	$(GO) test $(JOBS) -tags faults -timeout 15m -run '$(FAULTY)' ./consensus/... ./integration

canary: ## look for patients' texts wherever they could leak, then plant every leak (root)
	$(GO) test -count=1 -v -run TestNothingIdentifyingLeavesItsHospital ./integration
	$(GO) test -count=1 -v -tags faults -run TestAPanicShowsNothingIdentifying ./integration
	PROVE=1 $(GO) test -count=1 -v -timeout 40m -run TestEveryPlantedLeakIsFound ./integration/faults

erasure: ## have 50 of 7,000 patients forgotten, look for them in every byte, kill at every step (root)
	PROVE=1 $(GO) test -count=1 -v -timeout 70m -run 'TestAPatientIsForgottenOnEveryNode|TestAnErasureKilledAtAStep' ./integration
	PROVE=1 $(GO) test -count=1 -v -timeout 30m -run TestEveryBugOfForgettingIsFound ./integration/faults

membership: ## grow a network from 3 voters to 5, replace, remove, shrink; lose the majority twice and go on
	PROVE=1 $(GO) test -count=1 -v -timeout 20m -run 'TestANetworkGrowsLosesAndShrinks|TestANetworkIsRecoveredTwice' ./integration

network: ## take a network in namespaces through growth, loss, removal, updates and recovery; attack a daemon (root)
	PROVE=1 $(GO) test -count=1 -v -timeout 20m -run 'TestANetworkLivesThroughAllThatHappens|TestADaemonUnderAttackGoesOn' ./integration

systemd: ## boot a systemd in namespaces that starts, watches and stops the service unit (root)
	PROVE=1 $(GO) test -count=1 -v -timeout 5m -run TestTheUnitRunsUnderSystemd ./integration

package: ## build everything twice, byte for byte; install, use, upgrade and remove the .deb in a clean root (root)
	PROVE=1 $(GO) test -count=1 -v -timeout 20m -run 'TestThePackage' ./integration

soak: ## simulate a network under faults for SOAK (10m), or again from SIM_SEED
	SOAK=$(SOAK) $(GO) test -count=1 -timeout 0 -v -run TestNetworkKeepsItsPromisesUnderFaults ./consensus

fuzz: ## fuzz every decoder and reader, one after the other, for FUZZ (20s) each
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u | while read -r dir; do \
	  for one in $$(grep -ho '^func Fuzz[A-Za-z0-9]*' $$dir/*_test.go | cut -c 6-); do \
	    echo "$$dir $$one"; $(GO) test -run '^$$' -fuzz "^$$one$$" -fuzztime $(FUZZ) -fuzzminimizetime 1x $$dir </dev/null || exit 1; \
	  done; done

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

NATION ?= $(CURDIR)/bin/nation
ENTRIES ?= 1000000
morning: build ## measure a coordinator's view, pages and reports over ENTRIES (a million), and an audit of the same log
	NATION=$(NATION) NATION_ENTRIES=$(ENTRIES) $(GO) test -run '^$$' -bench Morning -benchtime 5x -timeout 2h ./daemon/view
	time bin/raresync log verify --policy $(NATION)/policy $(NATION)

clean: ## remove what build made
	rm -rf bin
