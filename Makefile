# skiff: build, test, and show. `make help` lists the targets.
SHELL      := /bin/bash
GO         ?= go
VERSION    ?= 0.1.0
COMMIT     := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS    := -s -w -X github.com/kubeskiff/skiff/pkg/cli/shell.Version=$(VERSION) -X github.com/kubeskiff/skiff/pkg/cli/shell.Commit=$(COMMIT)
SHIM_TAGS  := netgo osusergo seccomp
EMBED      := cmd/skiff/embedded
# Static programs; tests share their build cache. Only the shim and the race detector need a C compiler.
export CGO_ENABLED := 0

.PHONY: help build deps shim skiffd skiff kustomize test test-unit test-containers race lint update demo bench cross generate crash-test compat clean kustomize-compare kustomize-surface kustomize-fuzz fuzz-kustomize kustomize-suite bench-kustomize
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: skiff kustomize ## bin/skiff, with the link bin/kubectl, and bin/kustomize

deps: ## what a build needs of the distribution (Debian, Ubuntu)
	@test/deps

shim: deps
	CGO_ENABLED=1 $(GO) build -tags "$(SHIM_TAGS)" -ldflags '$(LDFLAGS) -linkmode external -extldflags "-static"' -o bin/skiff-shim ./cmd/skiff-shim

skiffd:
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/skiffd ./cmd/skiffd

# The client carries the other two, compressed, and unpacks them at first use.
skiff: shim skiffd
	@mkdir -p $(EMBED)
	@for p in skiffd skiff-shim; do \
	  sum=$$(sha256sum < bin/$$p | cut -c1-64); \
	  [ "$$(cat $(EMBED)/$$p.sha256 2>/dev/null)" = "$$sum" ] || { gzip -9 -n -c bin/$$p > $(EMBED)/$$p.gz && echo $$sum > $(EMBED)/$$p.sha256; }; done
	$(GO) build -tags embed -ldflags '$(LDFLAGS)' -o bin/skiff ./cmd/skiff
	@ln -sf skiff bin/kubectl

# The engine alone, which starts twice as fast as skiff called as kustomize.
kustomize:
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/kustomize ./cmd/kustomize

test: deps build test-unit test-containers ## everything that CI runs: unit, scripts, real containers (as root)

# The shim links libcontainer, whose C part needs a compiler; everything else is built and tested without.
CGO_PACKAGES := ./pkg/orchestrator/container/oci/... ./cmd/skiff-shim/...

test-unit: ## tests that need no network; those of containers and networks want root
	$(GO) test $$($(GO) list ./... | grep -v -e /container/oci -e /cmd/skiff-shim)
	CGO_ENABLED=1 $(GO) test -tags "$(SHIM_TAGS)" $(CGO_PACKAGES)

test-containers: .cache/kubectl ## the stories on real containers, in a network namespace of their own (as root)
	@test/deps containers
	SKIFF_CONTAINERS=1 KUBECTL=$(CURDIR)/.cache/kubectl $(GO) test -count=1 -timeout 12m ./test/e2e/...

race: ## the unit tests under the race detector
	CGO_ENABLED=1 $(GO) test -race ./pkg/... ./cmd/...

lint: ## gofmt, vet, and the house rules
	@test -z "$$(gofmt -l cmd pkg test | tee -a /dev/stderr)"
	CGO_ENABLED=1 $(GO) vet ./...
	$(GO) test ./pkg -run 'TestDoors|TestPackageComments|TestBannedModules'

update: ## rewrite golden files from what the code does now
	$(GO) test ./... -update

generate: ## the generated files (OpenAPI schemas)
	test/schema/generate

demo: build ## both stories on real containers, with your eyes on them (IMAGES=pull: with the images of the internet)
	@test/deps containers
	$(GO) run ./test/demo -images $(or $(IMAGES),loopback)

bench: build ## the figures of README, measured here
	@test/deps containers
	$(GO) run ./test/bench

crash-test: build ## 50 rounds of SKIFF under kill -9 (ROUNDS=n, SEED=n; LOGS=DIR keeps the logs of a failure)
	@test/deps containers
	$(GO) run ./test/crash -rounds $(or $(ROUNDS),50) $(if $(SEED),-seed $(SEED)) $(if $(LOGS),-logs $(LOGS))

compat: build .cache/kubectl .cache/kustomize ## the scripts of all commands with the real kubectl and kustomize in place of ours
	KUBECTL=$(CURDIR)/.cache/kubectl KUSTOMIZE=$(CURDIR)/.cache/kustomize $(GO) test -count=1 ./cmd/skiff -run TestScripts

# The oracle: kubectl v1.37.2 from its module, in a Go module of its own.
ORACLE := k8s.io/component-base/version
.cache/kubectl: test/kubectl/go.mod test/kubectl/main.go
	@mkdir -p .cache
	cd test/kubectl && $(GO) build -ldflags '-s -w -X $(ORACLE).gitVersion=v1.37.2 -X $(ORACLE).gitMajor=1 -X $(ORACLE).gitMinor=37' -o ../../$@ .

# kustomize v5.8.1, the other oracle, says its version only when it is installed from its module.
.cache/kustomize:
	@mkdir -p .cache
	GOBIN=$(CURDIR)/.cache $(GO) install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1

kustomize-surface: ## the commands and flags of the real kustomize, which a test compares ours with
	cd test/kustomize/surface && $(GO) run . > ../../../pkg/kustomize/command/testdata/surface.txt

cross: ## the client and engine for macOS and Windows
	GOOS=darwin GOARCH=arm64 $(GO) build -ldflags '$(LDFLAGS)' -o bin/skiff-darwin-arm64 ./cmd/skiff
	GOOS=darwin GOARCH=amd64 $(GO) build -ldflags '$(LDFLAGS)' -o bin/skiff-darwin-amd64 ./cmd/skiff
	GOOS=windows GOARCH=amd64 $(GO) build -ldflags '$(LDFLAGS)' -o bin/skiff-windows-amd64.exe ./cmd/skiff

clean: ## remove what builds made
	rm -rf bin $(EMBED)

KUSTOMIZE ?= kustomize
kustomize-compare: ## our bytes against the real kustomize's (KUSTOMIZE=PATH) for every directory below DIR (FLAGS: -help)
	$(GO) run ./test/kustomize/compare -kustomize $(KUSTOMIZE) $(FLAGS) $(DIR)

DURATION ?= 1m
FUZZTIME ?= 10m
fuzz-kustomize: ## the engine's parsers, each for FUZZTIME: no crash, no hang, no difference to the libraries
	@for f in FuzzPlain FuzzResource FuzzKustomization FuzzFieldPath FuzzPatchJSON FuzzStrategicMerge FuzzLabelSelector FuzzParsePlain; do \
	  echo $$f; $(GO) test ./pkg/kustomize -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -parallel 1 || exit 1; done

kustomize-fuzz: ## random kustomizations, both engines, for DURATION (SEED=N to begin with that case)
	cd test/kustomize/fuzz && $(GO) run . -duration $(DURATION) $(if $(SEED),-seed $(SEED)) -o $${TMPDIR:-/tmp}/kustomize-fuzz 2>/dev/null

kustomize-suite: ## upstream's own cases on our engine: passed, failed, total (ARGS='-run RE -o FILE -plugins DIR')
	cd test/kustomize/suite && $(GO) run . $(ARGS)

bench-kustomize: kustomize ## whole builds, ours and the real kustomize's (KUSTOMIZE=PATH): time, processor, peak memory
	$(GO) run ./test/kustomize/bench -ours bin/kustomize -kustomize $(KUSTOMIZE)
