package orchestrator

import (
	"runtime"

	"k8s.io/apimachinery/pkg/version"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// Version is what /version answers: the Kubernetes release whose behaviour the server keeps.
func Version() version.Info {
	return version.Info{
		Major: "1", Minor: "37", GitVersion: cli.KubectlVersion, GitCommit: cli.Commit, GitTreeState: "clean",
		GoVersion: runtime.Version(), Compiler: runtime.Compiler, Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
}
