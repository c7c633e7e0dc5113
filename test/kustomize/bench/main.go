// Command bench measures builds with our kustomize and with the real one: whole processes, alternately, and the median of each.
// It checks that both print the same bytes. It is a tool of the tests and never part of the product.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == relay {
		os.Exit(runRelay(os.Args[2:]))
	}
	ours := flag.String("ours", "bin/kustomize", "our kustomize")
	theirs := flag.String("kustomize", "kustomize", "the real kustomize")
	runs := flag.Int("runs", 5, "runs of each; of the real one with 3,000 groups only one")
	only := flag.String("only", "", "the one case to measure")
	flag.Parse()
	if err := bench(*ours, *theirs, *only, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ours, theirs, only string, runs int) error {
	root, err := os.MkdirTemp("", "bench-kustomize")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "case\tours\ttheirs\tratio\tgoal\tCPU ours\tCPU theirs\tpeak ours\tpeak theirs\toutput")
	for _, c := range cases() {
		if only != "" && c.name != only {
			continue
		}
		dir, err := c.write(root)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if err := c.measure(w, ours, theirs, dir, runs); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		w.Flush()
	}
	return nil
}

// measure runs both, one after the other.
func (c benchCase) measure(w *tabwriter.Writer, ours, theirs, dir string, runs int) error {
	var mine, real []usage
	for i := range runs {
		for _, of := range []struct {
			program string
			list    *[]usage
		}{{ours, &mine}, {theirs, &real}} {
			if of.list == &real && c.once && i > 0 {
				continue
			}
			u, err := run(of.program, dir)
			if err != nil {
				return err
			}
			*of.list = append(*of.list, u)
		}
	}
	same := "the same"
	if !c.once {
		if equal, err := identical(ours, theirs, dir); err != nil {
			return err
		} else if !equal {
			same = "DIFFERENT"
		}
	} else {
		same = "not compared"
	}
	m, r := median(mine), median(real)
	fmt.Fprintf(w, "%s\t%v\t%v\t%.1fx\t%s\t%v\t%v\t%.0f MB\t%.0f MB\t%s\n", c.name, m.wall.Round(time.Millisecond/10), r.wall.Round(time.Millisecond/10),
		float64(r.wall)/float64(m.wall), c.goal, m.cpu.Round(time.Millisecond/10), r.cpu.Round(time.Millisecond/10), m.peak, r.peak, same)
	return nil
}

func identical(ours, theirs, dir string) (bool, error) {
	a, err := exec.Command(ours, "build", dir).Output()
	if err != nil {
		return false, fmt.Errorf("%s: %w", ours, err)
	}
	b, err := exec.Command(theirs, "build", dir).Output()
	if err != nil {
		return false, fmt.Errorf("%s: %w", theirs, err)
	}
	return bytes.Equal(a, b), nil
}

// median takes each figure's own.
func median(list []usage) usage {
	middle := func(less func(a, b usage) int) usage {
		s := slices.Clone(list)
		slices.SortFunc(s, less)
		return s[len(s)/2]
	}
	return usage{
		wall: middle(func(a, b usage) int { return int(a.wall - b.wall) }).wall,
		cpu:  middle(func(a, b usage) int { return int(a.cpu - b.cpu) }).cpu,
		peak: middle(func(a, b usage) int { return int(a.peak - b.peak) }).peak,
	}
}
