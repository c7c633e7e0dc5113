package orchestrator

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/kubeskiff/skiff/pkg/orchestrator/network"
)

// chooseRanges gives a new cluster ranges that nothing on this machine uses, its other clusters included.
func chooseRanges(c *Config) error {
	if c.PodRange.IsValid() && c.ServiceRange.IsValid() && c.LoadBalancerRange.IsValid() && c.NodeRange.IsValid() {
		return nil
	}
	taken, err := network.HostRanges(c.Name)
	if err != nil {
		if c.Runtime == RuntimeOCI {
			return err
		}
		taken = nil // hollow pods have addresses in name only
	}
	taken = append(taken, rangesOfOthers(c.Dir)...)
	chosen, err := network.ChooseRanges(taken, network.Ranges{
		Pods: c.PodRange, Services: c.ServiceRange, LoadBalancers: c.LoadBalancerRange, Nodes: c.NodeRange,
	})
	if err != nil {
		return err
	}
	c.PodRange, c.ServiceRange, c.LoadBalancerRange, c.NodeRange = chosen.Pods, chosen.Services, chosen.LoadBalancers, chosen.Nodes
	return nil
}

// rangesOfOthers are those of the clusters in the folders beside dir, whether they run or not.
func rangesOfOthers(dir string) []netip.Prefix {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", "cluster.json")) // the pattern is well-formed
	var out []netip.Prefix
	for _, file := range files {
		if filepath.Dir(file) == dir {
			continue
		}
		var other Config
		data, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(data, &other) != nil {
			continue // not a cluster
		}
		for _, p := range []netip.Prefix{other.PodRange, other.ServiceRange, other.LoadBalancerRange, other.NodeRange} {
			if p.IsValid() {
				out = append(out, p)
			}
		}
	}
	return out
}
