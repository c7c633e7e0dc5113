package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// table prints each row as soon as it is known, in columns that are wide enough for all.
type table struct {
	w *tabwriter.Writer
}

func newTable(out io.Writer) table {
	t := table{tabwriter.NewWriter(out, 11, 0, 2, ' ', 0)}
	fmt.Fprintln(t.w, "case            \tours\ttheirs\truns\tratio\tgoal\tCPU ours\tCPU theirs\tpeak ours\tpeak theirs\toutput")
	return t
}

// row prints a case. before is the real one's median of the case before.
func (t table) row(c benchCase, m measured, before usage) {
	mine, real := median(m.ours), median(m.theirs)
	about, peak, output := "", fmt.Sprintf("%.0f MB", real.peak), "the same"
	switch {
	case len(m.theirs) == 0:
		about, peak, output = "~", "?", "not compared"
		real = usage{wall: scaled(before.wall, c.beyond), cpu: scaled(before.cpu, c.beyond)}
	case !m.same:
		output = "DIFFERENT"
	}
	fmt.Fprintf(t.w, "%s\t%s\t%s%s\t%d/%d\t%s%.1fx\t%s\t%s\t%s%s\t%.0f MB\t%s\t%s\n", c.name, short(mine.wall), about, short(real.wall),
		len(m.ours), len(m.theirs), about, float64(real.wall)/float64(mine.wall), c.goal, short(mine.cpu), about, short(real.cpu), mine.peak, peak, output)
	t.w.Flush()
}

func (t table) end(b *bench) {
	fmt.Fprintf(t.w, "\nMedians of the runs: ours/theirs. A run of the real one over %s is its only one, and with ~ in front it was not run: its time\n"+
		"grows with the square of N, so N=3000 is put at nine times N=1000. A group is a Deployment, a Service and a generated ConfigMap,\n"+
		"which the Deployment names twice, under two prefixes and a namespace, with a patch and a replacement of its own.\n", b.patience)
	t.w.Flush()
}

func scaled(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * by) }

func short(d time.Duration) string {
	switch {
	case d == 0:
		return "?"
	case d >= 10*time.Second:
		return d.Round(time.Second / 10).String()
	case d >= time.Second/10:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Millisecond / 10).String()
}

// median takes each figure's own.
func median(list []usage) usage {
	if len(list) == 0 {
		return usage{}
	}
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
