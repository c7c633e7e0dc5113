// Package orchestrator wires the rooms below it into a cluster: the control plane and its first node in one process,
// further nodes in processes of their own, and the directory where all state of one cluster lives. It decides nothing
// about pods or services itself; it opens, connects, waits and closes.
package orchestrator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"sigs.k8s.io/yaml"
)

// The runtimes a cluster can be made with.
const (
	RuntimeOCI    = "oci"    // real containers
	RuntimeHollow = "hollow" // pods that only pretend to run
)

// Config is what a cluster is made with. It is kept in the cluster's directory, so that a later start needs no flags; what a
// later start names wins.
type Config struct {
	Name       string `json:"name"`
	Dir        string `json:"-"`
	Nodes      int    `json:"nodes"`
	Runtime    string `json:"runtime"`
	OCIRuntime string `json:"ociRuntime,omitempty"` // path of runc, runsc …; empty: the one in the shim
	APIPort    int    `json:"apiPort"`              // on 127.0.0.1
	Egress     bool   `json:"egress"`
	// Mirrors maps a registry to the URLs to ask in its place, in order.
	Mirrors map[string][]string `json:"mirrors,omitempty"`
	// Ranges are the cluster's addresses; chosen at the first start if empty.
	PodRange          netip.Prefix `json:"podRange,omitzero"`
	ServiceRange      netip.Prefix `json:"serviceRange,omitzero"`
	LoadBalancerRange netip.Prefix `json:"loadBalancerRange,omitzero"`
	NodeRange         netip.Prefix `json:"nodeRange,omitzero"`
	// NodeMonitorGracePeriod is how long a node may be silent before it counts as gone.
	NodeMonitorGracePeriod Duration `json:"nodeMonitorGracePeriod,omitzero"`
	// Shim is the path of skiff-shim; empty: beside the running program.
	Shim string `json:"-"`
}

// Duration is a time.Duration that JSON shows as "5s".
type Duration time.Duration

// MarshalText writes "5s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads "5s".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// DefaultConfig is a cluster of one node with real containers.
func DefaultConfig(name string) Config {
	return Config{Name: name, Nodes: 1, Runtime: RuntimeOCI, Egress: true, NodeMonitorGracePeriod: Duration(40 * time.Second)}
}

var clusterName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// Validate says what is wrong with a configuration, and what would be right.
func (c *Config) Validate() error {
	switch {
	case !clusterName.MatchString(c.Name):
		return fmt.Errorf("cluster name %q: use up to 32 lower-case letters, digits and '-', such as \"dev\"", c.Name)
	case c.Nodes < 1 || c.Nodes > 1000:
		return fmt.Errorf("%d nodes: a cluster has 1 to 1000", c.Nodes)
	case c.Runtime != RuntimeOCI && c.Runtime != RuntimeHollow:
		return fmt.Errorf("runtime %q: use %q (real containers) or %q (pods only pretend to run)", c.Runtime, RuntimeOCI, RuntimeHollow)
	case c.Runtime == RuntimeOCI && c.Nodes > 100:
		return fmt.Errorf("%d nodes with real containers: use at most 100, or --runtime=%s", c.Nodes, RuntimeHollow)
	case c.APIPort < 0 || c.APIPort > 65535:
		return fmt.Errorf("API port %d: use 1 to 65535, or 0 for any", c.APIPort)
	}
	return nil
}

// Resolve gives the configuration to run the cluster in dir with: the one it was made with, or for a new cluster the
// defaults as the YAML file named by defaults (it need not exist) amends them.
func Resolve(dir, name, defaults string) (Config, error) {
	c, ok, err := LoadConfig(dir)
	if err != nil || ok {
		return c, err
	}
	c = DefaultConfig(name)
	c.Dir = dir
	if defaults == "" {
		return c, nil
	}
	data, err := os.ReadFile(defaults)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read the defaults for new clusters: %w", err)
	}
	if err := yaml.UnmarshalStrict(data, &c); err != nil {
		return c, fmt.Errorf("read the defaults for new clusters from %s: %w", defaults, err)
	}
	c.Name = name
	return c, nil
}

// configFile is where a cluster's configuration is kept.
func configFile(dir string) string { return filepath.Join(dir, "cluster.json") }

// LoadConfig reads the configuration of the cluster in dir; ok is false where there is none.
func LoadConfig(dir string) (c Config, ok bool, err error) {
	data, err := os.ReadFile(configFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, false, nil
	}
	if err != nil {
		return Config{}, false, fmt.Errorf("read cluster configuration: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return Config{}, false, fmt.Errorf("read cluster configuration %s: %w", configFile(dir), err)
	}
	c.Dir = dir
	return c, true, nil
}

// save writes the configuration so that a crash leaves the old or the new one.
func (c *Config) save() error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("write cluster configuration: %w", err)
	}
	return writeFile(configFile(c.Dir), append(data, '\n'), 0o600)
}

// writeFile replaces path with data by way of a file beside it.
func writeFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
