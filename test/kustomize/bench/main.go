// Command bench measures builds with our kustomize and with the real one: whole processes, alternately, and the median of each.
// It checks that both print the same bytes. It is a tool of the tests and never part of the product.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if len(os.Args) > 3 && os.Args[1] == relay {
		os.Exit(runRelay(os.Args[2], os.Args[3:]))
	}
	var b bench
	flag.StringVar(&b.ours, "ours", "bin/kustomize", "our kustomize")
	flag.StringVar(&b.theirs, "kustomize", "kustomize", "the real kustomize")
	flag.IntVar(&b.runs, "runs", 5, "runs of each")
	flag.DurationVar(&b.patience, "patience", 20*time.Second, "a run of the real one that takes longer is its only one")
	only := flag.String("only", "", "the one case to measure")
	flag.Parse()
	if err := b.run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is what all cases share.
type bench struct {
	ours, theirs string
	runs         int
	patience     time.Duration
	root         string
}

func (b *bench) run(only string) (err error) {
	if b.root, err = os.MkdirTemp("", "bench-kustomize"); err != nil {
		return err
	}
	defer os.RemoveAll(b.root)
	t := newTable(os.Stdout)
	defer t.end(b)
	var before usage
	for _, c := range cases() {
		if only != "" && c.name != only {
			continue
		}
		m, err := b.measure(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		t.row(c, m, before)
		before = median(m.theirs)
	}
	return nil
}

// measured is every run of a case.
type measured struct {
	ours, theirs []usage
	same         bool
}

// measure runs both in turn, so that neither has a quieter machine. The real one is quadratic: it need not say so five times.
func (b *bench) measure(c benchCase) (m measured, err error) {
	dir, err := c.write(b.root)
	if err != nil {
		return m, err
	}
	mine, real := filepath.Join(b.root, "ours"), filepath.Join(b.root, "theirs")
	for range b.runs {
		if m.ours, err = timed(m.ours, b.ours, dir, mine); err != nil {
			return m, err
		}
		if c.beyond > 0 || len(m.theirs) == 1 && m.theirs[0].wall > b.patience {
			continue
		}
		if m.theirs, err = timed(m.theirs, b.theirs, dir, real); err != nil {
			return m, err
		}
	}
	if len(m.theirs) > 0 {
		m.same, err = sameFile(mine, real)
	}
	return m, err
}
