package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// idle measures a cluster that nobody asks anything, without pods and with five.
func (b *bench) idle(ctx context.Context) error {
	if _, err := b.begin(ctx); err != nil {
		return err
	}
	if err := b.rest(ctx, ""); err != nil {
		return err
	}
	if b.wants("idle-memory-pods", "idle-cpu-pods") {
		if _, err := b.m.Must(ctx, "kubectl", "create", "deployment", "web", "--image="+helloImage, "--replicas=5"); err != nil {
			return err
		}
		if _, err := b.m.Must(ctx, "kubectl", "rollout", "status", "deployment/web"); err != nil {
			return err
		}
		if err := b.rest(ctx, "-pods"); err != nil {
			return err
		}
	}
	return b.end(ctx)
}

// rest lets the cluster rest, then reads memory and processor time over as long again, in equal parts.
func (b *bench) rest(ctx context.Context, suffix string) error {
	span := 30 * time.Second
	if b.short {
		span = 5 * time.Second
	}
	if err := sleep(ctx, span); err != nil {
		return err
	}
	part := span / time.Duration(b.runs)
	for range b.runs {
		before, err := b.footprint()
		if err != nil {
			return err
		}
		if err := sleep(ctx, part); err != nil {
			return err
		}
		after, err := b.footprint()
		if err != nil {
			return err
		}
		b.add("idle-memory"+suffix, after.pss/1e6)
		b.add("idle-cpu"+suffix, 100*float64(after.cpu-before.cpu)/float64(part))
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// footprint is what the processes of a cluster use together.
type footprint struct {
	pss, peak float64 // bytes
	cpu       time.Duration
}

// footprint sums up skiffd and its shims; what runs in containers does not count.
func (b *bench) footprint() (sum footprint, err error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return sum, err
	}
	for _, dir := range dirs {
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil || !strings.HasPrefix(exe, b.m.Data()) {
			continue
		}
		one, err := read(dir)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue
		}
		if err != nil {
			return sum, err
		}
		sum.pss, sum.peak, sum.cpu = sum.pss+one.pss, sum.peak+one.peak, sum.cpu+one.cpu
	}
	if sum.cpu == 0 {
		return sum, errors.New("no process of the cluster runs")
	}
	return sum, nil
}

func read(dir string) (f footprint, err error) {
	if f.pss, err = kilobytes(filepath.Join(dir, "smaps_rollup"), "Pss:"); err != nil {
		return f, err
	}
	if f.peak, err = kilobytes(filepath.Join(dir, "status"), "VmHWM:"); err != nil {
		return f, err
	}
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return f, err
	}
	// The fields after the name, which may hold anything; user and system time are the 14th and 15th of all, in ticks of 10 ms.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	for _, text := range fields[11:13] {
		ticks, err := strconv.Atoi(text)
		if err != nil {
			return f, fmt.Errorf("read %s/stat: %w", dir, err)
		}
		f.cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	return f, nil
}

// kilobytes reads a line such as "VmHWM:  1234 kB" and gives bytes.
func kilobytes(path, label string) (float64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == label {
			n, err := strconv.ParseFloat(f[1], 64)
			return n * 1024, err
		}
	}
	return 0, fmt.Errorf("%s says no %s", path, label)
}
