// Command skiff-shim is the small process beside each pod; skiffd starts it.
package main

import (
	"os"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/shim"
)

func main() { os.Exit(shim.Main(os.Args)) }
