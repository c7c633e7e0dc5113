// Package machine gives tests, demonstration and benchmarks a machine with nothing but skiff on it: a network namespace whose
// only link is its loopback, a home directory of its own, and the test images served as mirrors of docker.io and gcr.io. No packet
// can leave it.
package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/test/images/build"
)

const inside = "SKIFF_TEST_MACHINE"

// Enter puts the calling program into namespaces of its own by executing it again, and returns only there. Call it first thing in
// main or TestMain. It needs root.
func Enter() {
	if os.Getenv(inside) != "" {
		if err := arrive(); err != nil {
			fmt.Fprintln(os.Stderr, "error: set up the test machine:", err)
			os.Exit(1)
		}
		return
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "error: real containers need root: run this with sudo")
		os.Exit(1)
	}
	// Made out here: in there nothing leads to Debian's packages.
	if err := build.All(context.Background(), images()); err != nil {
		fmt.Fprintln(os.Stderr, "error: make images:", err)
		os.Exit(1)
	}
	os.Exit(again())
}

// images is where the test images are kept from run to run.
func images() string { return filepath.Join(Root(), ".cache", "images") }

// again runs the program anew, in new network and mount namespaces, and gives its exit code.
func again() int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: find this program:", err)
		return 1
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "error: make namespaces:", err)
		return 1
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return 0
}

// arrive brings the loopback up and keeps mounts from spreading to the host.
func arrive() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find the loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring the loopback up: %w", err)
	}
	// Another cluster on the host may have left forwarding on; a new namespace inherits it.
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("0"), 0o644); err != nil {
		return fmt.Errorf("turn forwarding off: %w", err)
	}
	return nil
}
