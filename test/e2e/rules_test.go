package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/nftables"
)

// checkRules: what leads connections to pods are rules of the node's own namespace. The host has none, and in the node nobody listens
// but the API server and the DNS server, so that there is no proxy in between.
func checkRules(t *testing.T, cluster, node string) {
	t.Helper()
	pin := filepath.Join(theMachine.Cluster(cluster), "network", "netns", node)
	namespace, err := os.Open(pin)
	if err != nil {
		t.Fatal(err)
	}
	defer namespace.Close()
	if got := tables(t, nftables.WithNetNSFd(int(namespace.Fd()))); got == 0 {
		t.Errorf("%s has no rules", node)
	}
	if got := tables(t); got > 0 {
		t.Errorf("the host has %d tables of rules", got)
	}
	const listening = "0A"
	ports := map[string]string{"192B": "6443", "0035": "53"}
	for _, line := range strings.Split(must(t, "nsenter --net="+pin+" cat /proc/net/tcp /proc/net/tcp6"), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[3] != listening {
			continue
		}
		if _, port, _ := strings.Cut(fields[1], ":"); ports[port] == "" {
			t.Errorf("in %s somebody listens on port %s (hexadecimal)", node, port)
		}
	}
}

func tables(t *testing.T, options ...nftables.ConnOption) int {
	t.Helper()
	conn, err := nftables.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	list, err := conn.ListTables()
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
