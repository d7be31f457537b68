# The whole of what a developer types. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

DATA ?= ./turno-data
HTTP ?= 127.0.0.1:8080
FUZZTIME ?= 20s
TESTFLAGS ?=

.PHONY: help run build test check generated docs fuzz bench soak

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: ## serve on 127.0.0.1:8080, with the log in ./turno-data
	go run ./cmd/turno serve --data $(DATA) --http $(HTTP)

build: ## one static binary, ./turno
	CGO_ENABLED=0 go build -trimpath -o turno ./cmd/turno

test: ## all tests with the race detector; says at the end what was skipped, and why
	@if command -v gcc >/dev/null; then race=-race; export CGO_ENABLED=1; else race=; export CGO_ENABLED=0; \
	  echo 'no C compiler: the race detector is left out (apt-get install gcc libc6-dev)'; fi; \
	  go test $$race -timeout 40m -json $(TESTFLAGS) ./... 2>&1 | go run .ci/report.go

check: ## format, vet, staticcheck, generated files
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	  if [ -n "$$unformatted" ]; then printf 'not formatted (gofmt -w):\n%s\n' "$$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	CGO_ENABLED=0 go build -trimpath -o /dev/null ./cmd/turno
	@$(MAKE) --no-print-directory generated

generated: ## fail when a generated file is not what its generator writes
	@kept=$$(mktemp -d); trap 'rm -rf "$$kept"' EXIT; cp -R docs api/console "$$kept"; \
	  go generate ./...; \
	  if ! diff -r "$$kept/docs" docs || ! diff -r "$$kept/console" api/console; then \
	    echo 'generated files were stale; they are fresh now: commit them'; exit 1; fi

docs: ## write the generated pages of docs/ anew
	go generate ./...

fuzz: ## fuzz every decoder of outside bytes, FUZZTIME (20s) each
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
	  for name in $$(grep -ohE '^func Fuzz[A-Za-z0-9_]*' "$$file" | cut -d' ' -f2); do \
	    echo "$$(dirname "$$file") $$name"; \
	    go test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")"; \
	  done; \
	done

bench: build ## every bench, each with its ratio to the bare engine measured in the same run
	./turno bench append --sync 1s
	./turno bench append --sync always
	./turno bench http --sync 1s
	./turno bench http --sync always
	./turno bench project
	./turno bench rebuild
	./turno bench load
	./turno bench race
	./turno bench race --replicas 3

soak: ## kill the parts under load: at random moments, 100 rounds; of a cluster in turn, during 20,000 commands
	TURNO_SOAK_ROUNDS=100 TURNO_CLUSTER_COMMANDS=20000 CGO_ENABLED=1 go test -race -timeout 3h -v \
	  -run '^(TestKilledAtAnyMoment|TestOnACluster)' ./cmd/turno
