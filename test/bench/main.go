// Command bench measures the figures of the README on this machine and prints them beside what they should be: make bench. It
// runs the built programs on a machine of test/machine and judges nothing but time, memory and failures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/kubeskiff/skiff/test/machine"
)

func main() {
	only := flag.String("run", "", "measure only the figures whose names match this regular expression")
	runs := flag.Int("n", 5, "how many times to measure each figure")
	short := flag.Bool("short", false, "idle figures after 5 s instead of 30 s, and one run on 100 nodes")
	peer := flag.String("kubectl", "", "the real kubectl (default: $KUBECTL, $PEERS/kubectl, .cache/kubectl)")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: -run:", err)
		os.Exit(2)
	}
	machine.Enter()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, &bench{wanted: pattern, runs: *runs, short: *short, real: findKubectl(*peer), samples: map[string][]float64{}}); err != nil {
		fmt.Fprintln(os.Stderr, "bench failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, b *bench) (err error) {
	if b.m, err = machine.New(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.m.Close()) }()
	// The programs are copied, so that a build meanwhile changes nothing.
	if b.m.Bin, err = copyPrograms(b.m.Bin, b.m.Dir); err != nil {
		return err
	}
	before := loadAverage()
	for _, g := range []struct {
		figures []string
		measure func(*bench, context.Context) error
	}{
		{[]string{"start-new", "start-old"}, (*bench).start},
		{[]string{"deployment"}, (*bench).deployment},
		{[]string{"idle-memory", "idle-cpu", "idle-memory-pods", "idle-cpu-pods"}, (*bench).idle},
		{[]string{"pod-running", "pod-log", "exec", "pods-30", "get-pods", "get-pods-ratio"}, (*bench).pods},
		{[]string{"version", "version-memory", "version-ratio"}, (*bench).version},
		{[]string{"hollow-scheduled", "hollow-running", "hollow-cpu", "hollow-memory"}, (*bench).hollow},
		{[]string{"rolling-update"}, (*bench).rolling},
	} {
		if !b.wants(g.figures...) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", g.figures[0])
		if err := g.measure(b, ctx); err != nil {
			return errors.Join(err, b.print(os.Stdout, before))
		}
	}
	return b.print(os.Stdout, before)
}
