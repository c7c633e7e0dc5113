package cluster

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// clusterFile is the part of a cluster's cluster.json that these commands go by.
type clusterFile struct {
	Name                   string `json:"name"`
	Nodes                  int    `json:"nodes"`
	Runtime                string `json:"runtime"`
	OCIRuntime             string `json:"ociRuntime"`
	APIPort                int    `json:"apiPort"`
	Egress                 bool   `json:"egress"`
	NodeMonitorGracePeriod string `json:"nodeMonitorGracePeriod"`
}

func readCluster(dir string) (*clusterFile, error) {
	data, err := os.ReadFile(filepath.Join(dir, "cluster.json"))
	if err != nil {
		return nil, fmt.Errorf("read the cluster's configuration: %w", err)
	}
	c := new(clusterFile)
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, "cluster.json"), err)
	}
	return c, nil
}

// clusterOf gives the cluster's name for a kubeconfig context of ours.
func clusterOf(context string) string {
	if context == DefaultName {
		return DefaultName
	}
	return strings.TrimPrefix(context, "skiff-")
}

// serverRuns says whether a server holds the directory: its lock names a live process. It is a hint; only skiffd itself takes locks.
func serverRuns(dir string) bool { return lockHolder(filepath.Join(dir, "server.lock")) > 0 }

// lockHolder gives the id of the process that a lock file names, if that process lives.
func lockHolder(path string) int {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || !locked(path) {
		return 0
	}
	return pid
}
