# skiff: build, test, and show. `make help` lists the targets.
SHELL      := /bin/bash
GO         ?= go
VERSION    ?= 0.1.0
COMMIT     := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS    := -s -w -X github.com/kubeskiff/skiff/pkg/cli.Version=$(VERSION) -X github.com/kubeskiff/skiff/pkg/cli.Commit=$(COMMIT)
SHIM_TAGS  := netgo osusergo seccomp
EMBED      := cmd/skiff/embedded
export CGO_CFLAGS ?= -O2

.PHONY: help build deps shim skiffd skiff test race lint update demo bench cross generate crash-test compat clean
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: skiff ## bin/skiff, with the links bin/kubectl and bin/kustomize

deps: ## what a build needs of the distribution (Debian, Ubuntu)
	@test/deps

shim: deps
	CGO_ENABLED=1 $(GO) build -trimpath -tags "$(SHIM_TAGS)" -ldflags '$(LDFLAGS) -linkmode external -extldflags "-static"' -o bin/skiff-shim ./cmd/skiff-shim

skiffd:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/skiffd ./cmd/skiffd

# The client carries the other two, compressed, and unpacks them at first use.
skiff: shim skiffd
	@mkdir -p $(EMBED)
	@for p in skiffd skiff-shim; do \
	  sum=$$(sha256sum < bin/$$p | cut -c1-64); \
	  [ "$$(cat $(EMBED)/$$p.sha256 2>/dev/null)" = "$$sum" ] || { gzip -9 -n -c bin/$$p > $(EMBED)/$$p.gz && echo $$sum > $(EMBED)/$$p.sha256; }; done
	CGO_ENABLED=0 $(GO) build -trimpath -tags embed -ldflags '$(LDFLAGS)' -o bin/skiff ./cmd/skiff
	@ln -sf skiff bin/kubectl; ln -sf skiff bin/kustomize
