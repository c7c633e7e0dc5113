package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// figure is a row of the table.
type figure struct {
	name, what, unit string
	limit            float64 // 0: told, not judged
}

// theirs is what the real control plane took, measured once elsewhere; kubectl's times are measured here, beside ours.
var theirs = map[string]float64{"start-new": 2900, "deployment": 3700, "idle-memory": 494}

var figures = []figure{
	{"start-new", "cluster start to ready, new data directory", "ms", 250},
	{"start-old", "cluster start to ready, old data directory", "ms", 150},
	{"deployment", "kubectl create deployment on no cluster, until its 5 pods exist", "ms", 300},
	{"idle-memory", "memory (PSS) of an idle cluster", "MB", 100},
	{"idle-cpu", "processor time of an idle cluster, of one core", "%", 1},
	{"idle-memory-pods", "memory (PSS) with 5 pods, shims included", "MB", 100},
	{"idle-cpu-pods", "processor time with 5 pods, of one core", "%", 1},
	{"pod-running", "pod created until Running, image cached", "ms", 120},
	{"pod-log", "pod created until its own first log line", "ms", 0},
	{"exec", "kubectl exec, launch until the first byte", "ms", 40},
	{"pods-30", "30 pods at once, until all are Running", "ms", 2000},
	{"get-pods", "kubectl get pods", "ms", 0},
	{"get-pods-ratio", "kubectl get pods, of the real kubectl's time", "x", 0.5},
	{"version", "kubectl version --client", "ms", 15},
	{"version-memory", "kubectl version --client, peak RSS", "MB", 25},
	{"version-ratio", "kubectl version --client, of the real kubectl's time", "x", 0},
	{"hollow-scheduled", "3,000 pods scheduled on 100 hollow nodes", "s", 10},
	{"hollow-running", "3,000 pods Running on 100 hollow nodes", "s", 0},
	{"hollow-cpu", "processor time of these 3,000 pods", "s", 0},
	{"hollow-memory", "peak RSS meanwhile", "MB", 0},
	{"rolling-update", "failed requests of a rolling update under 200/s", "", -1},
}

// median gives the middle, least and greatest of the samples.
func median(samples []float64) (mid, least, most float64) {
	s := slices.Sorted(slices.Values(samples))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2, s[0], s[n-1]
}

// print writes the table of what was measured.
func (b *bench) print(w io.Writer, before string) error {
	fmt.Fprintf(w, "%d cores, %s, load average before %s, after %s\n\n", runtime.NumCPU(), cpuModel(), before, loadAverage())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FIGURE\tMEDIAN\tMIN–MAX\tRUNS\tTARGET\t\tREAL\tWHAT")
	for _, f := range figures {
		samples := b.samples[f.name]
		if len(samples) == 0 {
			continue
		}
		mid, least, most := median(samples)
		fmt.Fprintf(t, "%s\t%s\t%s–%s\t%d\t%s\t%s\t%s\t%s\n", f.name, show(mid, f.unit), show(least, ""), show(most, ""), len(samples), f.target(), f.verdict(mid), b.theirs(f), f.what)
	}
	return t.Flush()
}

// theirs gives the real tool's figure.
func (b *bench) theirs(f figure) string {
	if samples := b.samples[f.name+"-real"]; len(samples) > 0 {
		mid, _, _ := median(samples)
		return show(mid, f.unit)
	}
	if v, ok := theirs[f.name]; ok {
		return show(v, f.unit)
	}
	return "-"
}

func (f figure) target() string {
	switch {
	case f.limit == 0:
		return "-"
	case f.limit < 0:
		return "0"
	}
	return "≤ " + show(f.limit, f.unit)
}

func (f figure) verdict(v float64) string {
	switch {
	case f.limit == 0:
		return ""
	case v <= max(f.limit, 0):
		return "ok"
	}
	return "MISSED"
}

func show(v float64, unit string) string {
	text := fmt.Sprintf("%.0f", v)
	if v != 0 && v < 10 {
		text = fmt.Sprintf("%.2f", v)
	} else if v != 0 && v < 100 {
		text = fmt.Sprintf("%.1f", v)
	}
	return strings.TrimSpace(text + " " + unit)
}

func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(data))[:2], " ")
}

func cpuModel() string {
	data, _ := os.ReadFile("/proc/cpuinfo") // a machine without says nothing
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
