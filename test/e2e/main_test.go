// Package e2e runs the users' stories and the proofs that the line is real on real containers, in a network namespace of their
// own. It needs root, the programs of "make build", and SKIFF_CONTAINERS=1 ("make test-containers"); without the latter it does nothing,
// so that a plain "go test ./..." needs neither root nor a build.
package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/kubeskiff/skiff/test/machine"
)

// theMachine is shared by the tests of a run, each of which makes clusters of its own.
var theMachine *machine.Machine

// realKubectl is the path of kubectl v1.37.2, built from the module in test/kubectl.
var realKubectl string

func TestMain(m *testing.M) {
	if os.Getenv("SKIFF_CONTAINERS") == "" {
		fmt.Println("e2e: not asked for; \"make test-containers\" runs the stories on real containers")
		os.Exit(0)
	}
	if realKubectl = os.Getenv("KUBECTL"); realKubectl == "" {
		fmt.Fprintln(os.Stderr, "e2e: KUBECTL must name the real kubectl; \"make test-containers\" builds it")
		os.Exit(1)
	}
	machine.Enter()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if theMachine, err = machine.New(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code := m.Run()
	if err := theMachine.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: clean up:", err)
		return 1
	}
	return code
}
