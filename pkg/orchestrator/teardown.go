package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci"
	"github.com/kubeskiff/skiff/pkg/orchestrator/network"
)

const (
	// stopPatience is how long a server or agent may take to stop its containers before it is killed.
	stopPatience = 30 * time.Second
	// containerGrace is what containers get to end by themselves when their cluster stops.
	containerGrace = 5 * time.Second
)

// Check says what this machine lacks to run real containers, by the given program or, if it is empty, by the built-in one.
func Check(ociRuntime string) error {
	if os.Geteuid() != 0 {
		return errors.New("real containers need root (namespaces, cgroups and mounts): run with sudo, or use --runtime=hollow for pods that only pretend to run")
	}
	if ociRuntime != "" {
		if _, err := exec.LookPath(ociRuntime); err != nil {
			return fmt.Errorf("find the OCI runtime (name another with --oci-runtime, or leave it out for the built-in one): %w", err)
		}
	}
	return oci.Check()
}

// findRuntime gives the full path of the program that is to run containers in place of the built-in one; empty stays empty.
func findRuntime(program string) (string, error) {
	if program == "" {
		return "", nil
	}
	path, err := exec.LookPath(program)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", fmt.Errorf("find the program that runs containers (install it, or start with --oci-runtime=PATH, or with --oci-runtime= for the built-in one): %w", err)
	}
	return path, nil
}

// Stop ends a cluster's processes and containers and takes its network away, whatever is left of them. Data stay.
func Stop(ctx context.Context, dir string) error {
	config, ok, err := LoadConfig(dir)
	if err != nil || !ok {
		return err
	}
	found, err := running(dir)
	if err != nil {
		return err
	}
	for _, p := range found {
		if err := terminate(ctx, p, stopPatience); err != nil {
			return err
		}
	}
	return sweep(ctx, &config)
}

// sweep removes what runs of a cluster without any of its processes: containers, mounts and network.
func sweep(ctx context.Context, config *Config) error {
	if config.Runtime != RuntimeOCI {
		return nil
	}
	nodes, err := filepath.Glob(filepath.Join(config.Dir, "nodes", "*"))
	if err != nil {
		return fmt.Errorf("look for nodes: %w", err)
	}
	var errs []error
	for _, dir := range nodes {
		if err := sweepNode(ctx, config, filepath.Base(dir)); err != nil {
			errs = append(errs, fmt.Errorf("stop the containers of %s: %w", filepath.Base(dir), err))
		}
	}
	if err := network.Teardown(ctx, config.Name, config.Dir); err != nil {
		errs = append(errs, fmt.Errorf("take the network away: %w", err))
	}
	return errors.Join(errs...)
}

// withdraw takes the network of a cluster away whose server has ended, unless agents go on. Containers that still run keep it too.
func withdraw(config *Config) error {
	if config.Runtime != RuntimeOCI {
		return nil
	}
	agents, err := filepath.Glob(filepath.Join(config.Dir, "nodes", "*", "agent.lock"))
	if err != nil {
		return fmt.Errorf("look for agents: %w", err)
	}
	for _, lock := range agents {
		if pid, err := holder(lock); err != nil || pid > 0 {
			return err
		}
	}
	if err := network.Teardown(context.Background(), config.Name, config.Dir); err != nil {
		return fmt.Errorf("take the network away: %w", err)
	}
	return nil
}

// sweepNode stops the containers that a dead agent left.
func sweepNode(ctx context.Context, config *Config, node string) error {
	if _, err := os.Stat(filepath.Join(nodeDir(config.Dir, node), "containers")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	runtime, _, err := openRuntime(config, node, nil)
	if err != nil {
		return err
	}
	return stopSandboxes(ctx, runtime)
}

// stopSandboxes ends all containers of a node, all at once, first with a warning.
func stopSandboxes(ctx context.Context, runtime container.Runtime) error {
	sandboxes, err := runtime.Sandboxes(ctx)
	if err != nil {
		return err
	}
	errs := make([]error, len(sandboxes))
	var all sync.WaitGroup
	for i, s := range sandboxes {
		all.Go(func() {
			// One that does not end in time ends with its sandbox.
			patience, cancel := context.WithTimeout(ctx, 2*containerGrace)
			defer cancel()
			var containers sync.WaitGroup
			for _, c := range s.Containers {
				if c.State == container.Running {
					containers.Go(func() { _ = runtime.StopContainer(patience, c.ID, c.Config.StopSignal, containerGrace) })
				}
			}
			containers.Wait()
			errs[i] = runtime.StopSandbox(ctx, s.ID)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Delete stops a cluster and removes its directory.
func Delete(ctx context.Context, dir string) error {
	config, ok, err := LoadConfig(dir)
	if err != nil {
		return err
	}
	if ok {
		if err := Stop(ctx, dir); err != nil {
			return err
		}
		if err := removeSandboxes(ctx, &config); err != nil {
			return err
		}
	}
	if err := unmountBelow(dir); err != nil {
		return err
	}
	if ok {
		if err := removeCgroups(cgroupName(&config)); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the cluster's directory: %w", err)
	}
	return nil
}

// removeSandboxes removes stopped containers with their files.
func removeSandboxes(ctx context.Context, config *Config) error {
	if config.Runtime != RuntimeOCI {
		return nil
	}
	nodes, err := filepath.Glob(filepath.Join(config.Dir, "nodes", "*", "containers"))
	if err != nil {
		return fmt.Errorf("look for nodes: %w", err)
	}
	for _, dir := range nodes {
		runtime, _, err := openRuntime(config, filepath.Base(filepath.Dir(dir)), nil)
		if err != nil {
			return err
		}
		sandboxes, err := runtime.Sandboxes(ctx)
		if err != nil {
			return err
		}
		for _, s := range sandboxes {
			if err := runtime.RemoveSandbox(ctx, s.ID); err != nil {
				return fmt.Errorf("remove the containers of pod %s/%s: %w", s.Config.Namespace, s.Config.Name, err)
			}
		}
	}
	return nil
}
