package oci

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// startPause runs the first process of a pid namespace that the containers share. It is a container itself, with no
// capability and nothing but the shim's program in its root, so that looking at process 1 shows nothing of the node.
func (r *Runtime) startPause(ctx context.Context, s *sandbox) error {
	dir := filepath.Join(s.dir, wire.Containers, pauseID)
	rootfs := filepath.Join(dir, "rootfs")
	if err := os.MkdirAll(rootfs, 0o755); err != nil {
		return err
	}
	_, all := r.paths(s)
	shared := s.config
	shared.HostPID = false
	spec, err := newSpec(specInput{
		sandbox: shared, rootfs: rootfs, user: specs.User{UID: 65535, GID: 65535},
		config: container.ContainerConfig{Args: []string{"/pause", "pause"},
			Resources: container.Resources{CPUShares: 2, OOMScoreAdj: -998},
			Security:  container.Security{DropCapabilities: []string{"ALL"}, NoNewPrivileges: true, ReadOnlyRoot: true}},
		mounts:     []specs.Mount{bind(r.cfg.Shim, "/pause", true, "rprivate")},
		namespaces: namespaces(shared, all, 0), cgroup: r.containerCgroup(s.config, pauseID),
		own: r.own, oomFloor: r.oomFloor,
	})
	if err != nil {
		return err
	}
	if err := wire.WriteFile(filepath.Join(dir, wire.Bundle), spec, false); err != nil {
		return err
	}
	reply, err := simple(ctx, s.dir, wire.Request{Op: wire.OpStart, ID: pauseID, Start: &wire.Start{Runtime: r.cfg.OCIRuntime}})
	if err != nil {
		return fmt.Errorf("start the pid namespace's first process: %w", err)
	}
	r.mu.Lock()
	s.pausePID = reply.PID
	r.mu.Unlock()
	return nil
}
