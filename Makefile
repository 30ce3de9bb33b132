# Vaguemestre. `make` alone prints what there is.

GO        ?= go
BIN       := bin/vaguemestre
CORPUS_DIR ?= $(abspath ../shared/data)
LINT      := bin/golangci-lint
# What the tests need from Debian: real mail clients, a real PostgreSQL, a real browser, openssl and XML tools.
PACKAGES  := swaks isync mutt postgresql openssl python3 libxml2-utils xmlsec1 chromium fonts-dejavu-core
# The browser is driven from Node; a node that is there already, of whatever origin, is good enough.
PACKAGES  += $(if $(shell command -v node),,nodejs) $(if $(shell command -v npm),,npm)

export CGO_ENABLED := 0
export CORPUS_DIR

.DEFAULT_GOAL := help
.PHONY: help build demo test quick check long fuzz bench cover hostile peers clean

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/vaguemestre, one static binary
	$(GO) build -ldflags='-s -w' -o $(BIN) ./cmd/vaguemestre

demo: build ## a whole trust space on this machine; prints who is who and carries a first letter
	$(BIN) demo

test: peers ## every test, against real engines and real mail clients
	$(GO) test -count 1 -timeout 14m ./...

quick: ## the tests that need no peer, in about a minute
	$(GO) test -short ./...

check: $(LINT) ## format, vet, linters, the rules of the house
	$(LINT) fmt --diff
	$(LINT) run
	$(GO) test -count 1 .

long: peers ## the heavy ones: race detector, 20 kills on each engine
	LONG=1 $(GO) test -timeout 60m ./...
	CGO_ENABLED=1 $(GO) test -race -timeout 60m ./...

fuzz: ## each fuzz target for FUZZTIME (10s)
	./tools/fuzz $${FUZZTIME:-10s}

bench: build ## letters per second, documents in a growing vault, beside a floor measured in the same run
	$(BIN) bench
	$(BIN) bench vault

cover: ## test coverage by package
	$(GO) test -short -cover ./...

hostile: build ## hostile vectors against the real server: make hostile DIR=folder KINDS=smtp,zip
	@$(GO) run ./e2e/hostile --server $(BIN) --dir $(or $(DIR),$(CORPUS_DIR)/hostile) --kinds $(or $(KINDS),smtp,zip,xml,ics,web)

peers: ## install the real peers that the tests talk to (Debian packages)
	@./tools/peers $(PACKAGES)

$(LINT): tools/go.mod
	$(GO) build -modfile=tools/go.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

clean: ## remove what was built
	rm -rf bin
