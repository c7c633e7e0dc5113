package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// version measures what the client costs before it does anything.
func (b *bench) version(ctx context.Context) error {
	if err := b.compare(ctx, "version", "version", "--client"); err != nil {
		return err
	}
	for range b.runs {
		peak, err := peakOf(b.m.Command(ctx, "kubectl", "version", "--client"))
		if err != nil {
			return err
		}
		b.add("version-memory", peak/1e6)
	}
	return nil
}

// compare times a command of ours and the real kubectl's in turns; a first turn of each fills caches and is not counted.
func (b *bench) compare(ctx context.Context, figure string, args ...string) error {
	kubectls := []string{filepath.Join(b.m.Bin, "kubectl")}
	if b.real != "" {
		kubectls = append(kubectls, b.real)
	}
	for i := range 3*b.runs + 1 {
		var took []float64
		for _, program := range kubectls {
			r, err := b.m.Run(ctx, program, args...)
			if err != nil || r.Code != 0 {
				return fmt.Errorf("%s: code %d, %w: %s", program, r.Code, err, r.Stderr)
			}
			took = append(took, float64(r.Took.Microseconds())/1000)
		}
		if i == 0 {
			continue
		}
		b.add(figure, took[0])
		if len(took) > 1 {
			b.add(figure+"-real", took[1])
			b.add(figure+"-ratio", took[0]/took[1])
		}
	}
	return nil
}

// peakOf runs a program and reads its peak memory again and again until it ends, from when it has been executed: what wait reports
// would be no less than this program's own memory, which a child has until then.
func peakOf(cmd *exec.Cmd) (peak float64, err error) {
	program, err := filepath.EvalSymlinks(cmd.Path)
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	proc := "/proc/" + strconv.Itoa(cmd.Process.Pid)
	for {
		select {
		case err := <-ended:
			return peak, err
		default:
		}
		if exe, err := os.Readlink(proc + "/exe"); err != nil || exe != program {
			continue
		}
		if now, err := kilobytes(proc+"/status", "VmHWM:"); err == nil {
			peak = max(peak, now)
		}
	}
}
