// Command fuzz makes random kustomizations, builds each with the real kustomize and with our engine, and shrinks every
// difference to a small case in the form of the golden files. It is a tool of the tests and never part of the product.
package main

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

func main() {
	duration := flag.Duration("duration", time.Minute, "how long to go on")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the first case; each case says its own")
	one := flag.Bool("one", false, "run the case of the seed alone")
	out := flag.String("o", "kustomize-fuzz", "the directory for what is found")
	effort := flag.Duration("effort", 30*time.Second, "how long to shrink one case")
	most := flag.Int("most", 100, "stop after this many kinds of differences")
	flag.Parse()
	// The real one warns of deprecated fields through the log and on stderr.
	log.SetOutput(io.Discard)
	f := fuzzer{out: *out, effort: *effort, seen: map[string]int{}, reasons: map[string]int{}}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Printf("seed %d\n", *seed)
	for until := time.Now().Add(*duration); time.Now().Before(until) && len(f.seen) < *most; *seed++ {
		f.run(*seed)
		if *one {
			break
		}
	}
	f.print(os.Stdout)
	if f.differ > 0 {
		os.Exit(1)
	}
}

// fuzzer counts what it meets.
type fuzzer struct {
	out                          string
	effort                       time.Duration
	cases, built, failed, differ int
	seen, reasons                map[string]int
}

func (f *fuzzer) run(seed uint64) {
	g := &grammar{Rand: rand.New(rand.NewPCG(seed, 0)), variables: map[string]bool{}}
	t := newTree(g)
	f.cases++
	// Should the real one exit, this tells which case did it.
	current := filepath.Join(f.out, "current.seed")
	if err := os.WriteFile(current, fmt.Appendln(nil, seed), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	d, both := compare(t)
	if d == nil {
		f.agreed(both)
		return
	}
	f.differ++
	t, d = shrink(t, d, f.effort)
	sig := d.signature(t)
	if f.seen[sig]++; f.seen[sig] > 1 {
		return
	}
	if err := f.keep(t, d, sig, seed); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// agreed counts a case that both build, or both refuse for whatever reason.
func (f *fuzzer) agreed(both outcome) {
	if both.err == nil {
		f.built++
		return
	}
	f.failed++
	f.reasons[general(both.err.Error())]++
}

// print says how much of the grammar's output is worth building: what fails early tests little.
func (f *fuzzer) print(w io.Writer) {
	reasons := slices.SortedFunc(maps.Keys(f.reasons), func(a, b string) int { return f.reasons[b] - f.reasons[a] })
	for _, reason := range reasons[:min(15, len(reasons))] {
		fmt.Fprintf(w, "%6d both fail: %s\n", f.reasons[reason], reason)
	}
	fmt.Fprintf(w, "%d cases: %d built, %d fail for both, %d differ in %d ways\n", f.cases, f.built, f.failed, f.differ, len(f.seen))
}

// keep writes a case, its expected output being the real one's.
func (f *fuzzer) keep(t *tree, d *difference, sig string, seed uint64) error {
	h := fnv.New32a()
	h.Write([]byte(sig))
	name := fmt.Sprintf("fuzz_%08x", h.Sum32())
	a := t.archive(d.theirs)
	fmt.Printf("=== %s (seed %d)\n%s\n%s", name, seed, sig, txtar.Format(a))
	switch {
	case d.ours.err != nil:
		fmt.Printf("-- ours --\n%v\n", d.ours.err)
	default:
		fmt.Printf("-- ours --\n%s", d.ours.out)
	}
	return errors.Join(os.WriteFile(filepath.Join(f.out, name+".txtar"), txtar.Format(a), 0o644))
}
