# Everything a developer or a build machine does here. Needs Go and make; `make interop` also node.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

GO        ?= go
GUEST     ?= ./wasm/guest
FUZZTIME  ?= 60s
BENCHTIME ?= 1s
VERIFY_SEEDS ?= 0:50
TESTFLAGS ?=
RACE      ?= ./...
SEEDS     ?= 0:2000

# Programs and hosts build for these.
NATIVE := linux/amd64 linux/arm64 linux/arm darwin/arm64 windows/amd64 freebsd/amd64
# What decides, speaks and simulates also builds for these, without sockets or files.
WASM := wasip1/wasm js/wasm
WASM_PACKAGES := ./core/... ./codec/... ./sim/... ./resolver/... ./runtime/... ./wasm/... ./internal/...
# Modules of their own, so that what they import does not burden this one.
NESTED := $(patsubst %/go.mod,%,$(wildcard bench/go.mod interop/go.mod))

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/nekton, and the guest bin/nekton.wasm
	$(GO) build -trimpath -o bin/nekton ./cmd/nekton
	GOOS=wasip1 GOARCH=wasm $(GO) build -trimpath -buildmode=c-shared -o bin/nekton.wasm $(GUEST)

.PHONY: demo
demo: build ## a cluster of native and WebAssembly nodes that converges, fails, splits, heals and says goodbye
	./bin/nekton demo

.PHONY: test
test: ## all tests that finish in minutes
	$(GO) test $(TESTFLAGS) ./...
	cd bench && $(GO) test -short $(TESTFLAGS) ./...

.PHONY: race
race: ## the tests of RACE (./...) under the race detector; needs a C compiler
	$(GO) test -race $(TESTFLAGS) $(RACE)

.PHONY: check
check: format vet rules modules cross clean ## everything but running the tests: format, vet, lint, layers, builds

.PHONY: format
format: # no file that gofmt would change
	@files=$$(gofmt -l .); test -z "$$files" || { echo "run gofmt -w on:" $$files; exit 1; }

.PHONY: vet
vet: # on every kind of system that has files of its own
	$(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=wasip1 GOARCH=wasm $(GO) vet $(WASM_PACKAGES)
	$(GO) tool staticcheck ./...
	@for dir in $(NESTED); do (cd $$dir && $(GO) vet ./...); done

.PHONY: rules
rules: # the import order and the house rules
	$(GO) test .

.PHONY: modules
modules: # go.mod and go.sum say what is needed, and what was downloaded is what they say
	$(GO) mod tidy -diff
	$(GO) mod verify
	@for dir in $(NESTED); do (cd $$dir && $(GO) mod tidy -diff && $(GO) mod verify); done

.PHONY: cross
cross: ## build for every supported system
	@for target in $(NATIVE); do \
		echo "build for $$target"; \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build ./...; \
	done
	@for target in $(WASM); do \
		echo "build for $$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build $(WASM_PACKAGES); \
	done

.PHONY: clean
clean: # nothing of the above, and nobody, left something uncommitted
	@test ! -e .git || test -z "$$(git status --porcelain)" || { git status --short; echo "commit, or ignore, these"; exit 1; }

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (60s)
	@targets=$$(grep -roE --include='*_test.go' --exclude-dir=.git '^func Fuzz[A-Za-z0-9_]+' .); \
	for target in $${targets// /_}; do \
		dir=$$(dirname $${target%%:*}); name=$${target##*:func_}; \
		echo "$$dir $$name"; \
		(cd $$dir && $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) .); \
	done

.PHONY: verify
verify: build ## the same runs at every GOAMD64 and GOGC, with -race, in every process, native and guest; needs a C compiler
	./bin/nekton sim verify -seeds $(VERIFY_SEEDS) -source .

.PHONY: sweep
sweep: build ## SEEDS (0:2000) clusters, each with other faults, under all oracles; a few hundred try everything
	./bin/nekton sim sweep -seeds $(SEEDS) -cover

.PHONY: accept
accept: build ## the figures of the SWIM and Lifeguard papers; ACCEPTFLAGS=-quick for a slice
	./bin/nekton sim accept swim $(ACCEPTFLAGS)
	./bin/nekton sim accept lifeguard $(ACCEPTFLAGS)

.PHONY: mutants
mutants: ## which oracle of the simulator notices which bug, and with what seed; writes sim/testdata/mutants.txt
	$(GO) test -count=1 -run TestMutantsAreNoticed ./sim -update
	@cat sim/testdata/mutants.txt

.PHONY: bench
bench: build ## benchmarks, with hashicorp/memberlist beside ours
	$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) -benchmem ./core/... ./codec/... ./hosts/wasi
	cd bench && $(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) -benchmem ./...
	./bin/nekton sim bench

.PHONY: interop
interop: build ## the guest under another WASI runtime, and the wire beside other implementations; needs node
	cd interop && $(GO) test $(TESTFLAGS) ./...
