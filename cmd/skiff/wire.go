package main

import (
	"context"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/cluster"
)

// wire gives the factory what only this program can: the built-in cluster and the kustomize engine.
func wire(f *cli.Factory) {
	f.Program = program
	f.StartBuiltin = func(ctx context.Context, contextName string) (string, error) {
		return cluster.Ensure(ctx, f, contextName)
	}
}
