package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestBoltFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	log, err := OpenBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	_, err = OpenBolt(path)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "another process is using it") {
		t.Errorf("a second opener got %v", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 4000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = OpenBolt(path); err == nil || !strings.Contains(err.Error(), "damaged or no store") {
		t.Errorf("a file of something else gave %v", err)
	}
	if _, err = OpenBolt(filepath.Join(path, "below")); err == nil || !strings.Contains(err.Error(), "open store") {
		t.Errorf("an impossible path gave %v", err)
	}
}

// fullDiskFile makes this test binary the child of TestBoltFullDisk.
const fullDiskFile = "SKIFF_STORE_FULL_DISK"

func TestMain(m *testing.M) {
	if path := os.Getenv(fullDiskFile); path != "" {
		if err := fullDisk(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestBoltFullDisk runs in a process of its own, whose files may not grow beyond a limit: to it, the disk is full.
func TestBoltFullDisk(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fullDiskFile+"="+filepath.Join(t.TempDir(), "store.db"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func fullDisk(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	log, err := OpenBolt(path)
	if err != nil {
		return err
	}
	s, err := open(log, codec{}, 1000, 1000)
	if err != nil {
		return err
	}
	ctx := context.Background()
	var was syscall.Rlimit
	if err := errors.Join(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was), syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: was.Max})); err != nil {
		return err
	}
	large := strings.Repeat("x", 100_000)
	written := 0
	for ; written < 100; written++ {
		_, err = s.Txn(ctx, Op{Verb: Create, Key: Key{"pods", "a", fmt.Sprint(written)}, Object: &object{Value: large}})
		if err != nil {
			break
		}
	}
	if err == nil || written == 0 {
		return fmt.Errorf("%d writes fitted on a full disk: %w", written, err)
	}
	p, err := s.List(ctx, Selection{Resource: "pods"}, ListOptions{})
	if err != nil || len(p.Items) != written {
		return fmt.Errorf("a full disk shows %d of %d objects: %w", len(p.Items), written, err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	if _, err := s.Txn(ctx, put("after")); err != nil {
		return fmt.Errorf("after there was room again: %w", err)
	}
	if err := s.Close(); err != nil {
		return err
	}
	if log, err = OpenBolt(path); err != nil {
		return err
	}
	if s, err = open(log, codec{}, 1000, 1000); err != nil {
		return err
	}
	if p, err = s.List(ctx, Selection{Resource: "pods"}, ListOptions{}); err != nil || len(p.Items) != written+1 {
		return fmt.Errorf("reopened with %d objects, want %d: %w", len(p.Items), written+1, err)
	}
	return s.Close()
}

// FuzzRecord: what is in the file is read back, or said to be damaged.
func FuzzRecord(f *testing.F) {
	f.Add([]byte("pods\x00a\x00x"), make([]byte, boltHeader))
	f.Add([]byte("nodes\x00\x00n"), []byte("short"))
	f.Add([]byte("no separators"), make([]byte, 40))
	f.Fuzz(func(t *testing.T, k, v []byte) {
		r, err := boltRecord(k, v)
		if err != nil {
			return
		}
		if got := r.Key.Resource + "\x00" + r.Key.Namespace + "\x00" + r.Key.Name; got != string(k) || len(r.Data) != len(v)-boltHeader {
			t.Errorf("%q, %q became %+v", k, v, r)
		}
	})
}
