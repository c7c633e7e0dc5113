//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Teardown removes the cluster's network and releases what this process holds of it.
func (f *Fabric) Teardown(ctx context.Context) error {
	return errors.Join(f.hub.Close(), Teardown(ctx, f.c.Cluster, f.c.Dir))
}

// Teardown removes a cluster's network by its name and directory alone, whoever made it and whatever is half-made: the
// host's link (its routes go with it) and table, the nodes' namespaces, the files. Nothing there is success. Links of
// another cluster that has the same name in another directory stay.
func Teardown(ctx context.Context, cluster, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "network")); err == nil {
		unlock, err := lock(ctx, dir)
		if err != nil {
			return fmt.Errorf("tear down network of cluster %s: %w", cluster, err)
		}
		defer unlock()
	}
	err := errors.Join(removeFromHost(cluster, dir), removeFiles(dir))
	if err != nil {
		return fmt.Errorf("tear down network of cluster %s: %w", cluster, err)
	}
	return nil
}

func removeFromHost(cluster, dir string) error {
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	defer host.Close()
	l, err := host.LinkByName(linkName(cluster))
	if err == nil && l.Attrs().Alias != "" && l.Attrs().Alias != owner(dir) {
		return nil
	}
	// The link explicitly: a namespace goes at some time after its last user.
	return errors.Join(closeEgress(cluster), deleteLink(host, linkName(cluster)))
}

func removeFiles(dir string) error {
	entries, err := os.ReadDir(netnsDir(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if err := removeNamespace(filepath.Join(netnsDir(dir), e.Name())); err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(dir, "network"))
}
