package cluster

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// await waits for the nodes of a cluster that runs already, or that another start is just bringing up. Zero nodes are all of them.
func await(ctx context.Context, dir string, nodes int) error {
	for {
		err := nodesReady(ctx, dir, nodes)
		if err == nil {
			return nil
		}
		if !locked(filepath.Join(dir, "server.lock")) {
			return fmt.Errorf("the server that another start brought up has ended; its log is %s", filepath.Join(dir, "server.log"))
		}
		timer := time.NewTimer(50 * time.Millisecond)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(context.Cause(ctx), err)
		case <-timer.C:
		}
	}
}

func nodesReady(ctx context.Context, dir string, nodes int) error {
	c, err := readCluster(dir)
	if err != nil {
		return err
	}
	if nodes == 0 {
		nodes = c.Nodes
	}
	found, err := listNodes(ctx, dir)
	if err != nil {
		return err
	}
	return lacking(c.Name, nodes, found)
}

// lacking says which of a cluster's first nodes is not Ready. Others, which somebody added by "skiff agent", do not count.
func lacking(cluster string, nodes int, found []corev1.Node) error {
	ready := map[string]bool{}
	for i := range found {
		ready[found[i].Name] = nodeReady(&found[i])
	}
	for i := 1; i <= nodes; i++ {
		if name := cluster + "-" + strconv.Itoa(i); !ready[name] {
			return fmt.Errorf("node %s is not ready", name)
		}
	}
	return nil
}

// contradicted gives those of the flags that a running cluster was not started with.
func (c *clusterFile) contradicted(flags []string) []string {
	own := map[string]string{
		"--nodes": strconv.Itoa(c.Nodes), "--runtime": c.Runtime, "--oci-runtime": c.OCIRuntime, "--api-port": strconv.Itoa(c.APIPort),
		"--no-egress": strconv.FormatBool(!c.Egress), "--node-monitor-grace-period": c.NodeMonitorGracePeriod,
	}
	var out []string
	for _, flag := range flags {
		name, value, _ := strings.Cut(flag, "=")
		switch {
		case own[name] == value, name == "--api-port" && value == "0":
		case name == "--oci-runtime" && value != "" && filepath.Base(own[name]) == value: // found on the PATH
		default:
			out = append(out, flag)
		}
	}
	return out
}
