// Package e2e runs the users' stories and the proofs that the line is real on real containers, in a network namespace of their
// own. It needs root, the programs of "make build", and SKIFF_CONTAINERS=1 ("make test-containers"); without the latter it does nothing,
// so that a plain "go test ./..." needs neither root nor a build.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kubeskiff/skiff/test/machine"
)

// theMachine is shared by the tests of a run, each of which makes clusters of its own.
var theMachine *machine.Machine

// realKubectl is the path of kubectl v1.37.2, built from its module.
var realKubectl string

func TestMain(m *testing.M) {
	if os.Getenv("SKIFF_CONTAINERS") == "" {
		fmt.Println("e2e: not asked for; \"make test-containers\" runs the stories on real containers")
		os.Exit(0)
	}
	if err := buildKubectl(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
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

// buildKubectl builds the oracle of test/kubectl, or takes the one that KUBECTL names. It comes before the namespaces, which have
// no way out to the modules.
func buildKubectl() error {
	if realKubectl = os.Getenv("KUBECTL"); realKubectl != "" {
		return nil
	}
	realKubectl = filepath.Join(machine.Root(), ".cache", "kubectl")
	const version = "k8s.io/component-base/version."
	flags := "-s -w -X " + version + "gitVersion=v1.37.2 -X " + version + "gitMajor=1 -X " + version + "gitMinor=37"
	cmd := exec.Command("go", "build", "-ldflags", flags, "-o", realKubectl, ".")
	cmd.Dir = filepath.Join(machine.Root(), "test", "kubectl")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the real kubectl: %w\n%s", err, out)
	}
	return os.Setenv("KUBECTL", realKubectl)
}
