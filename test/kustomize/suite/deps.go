//go:build deps

package main

// What the upstream cases and the adapter need, so that go mod tidy keeps it.
import (
	_ "github.com/kubeskiff/skiff/pkg/kustomize/command"
	_ "github.com/stretchr/testify/require"
	_ "sigs.k8s.io/kustomize/api/krusty"
	_ "sigs.k8s.io/kustomize/kyaml/filesys"
)
