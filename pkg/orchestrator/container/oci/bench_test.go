package oci_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func BenchmarkStart(b *testing.B) {
	n := newNode(b)
	n.sandbox("a")
	i := 0
	for b.Loop() {
		n.start("a", fmt.Sprint("c", i), []string{"forever"})
		i++
		b.StopTimer()
		if err := n.r.RemoveContainer(context.Background(), fmt.Sprint("c", i-1)); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkPod(b *testing.B) {
	n := newNode(b)
	i := 0
	for b.Loop() {
		id := fmt.Sprint("p", i)
		n.sandbox(id)
		n.start(id, "c"+id, []string{"forever"})
		i++
		b.StopTimer()
		if err := n.r.RemoveSandbox(context.Background(), id); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// firstByte tells when something was written first.
type firstByte struct {
	once sync.Once
	at   time.Time
}

func (f *firstByte) Write(p []byte) (int, error) {
	f.once.Do(func() { f.at = time.Now() })
	return len(p), nil
}

func BenchmarkExecFirstByte(b *testing.B) {
	n := newNode(b)
	n.sandbox("a")
	n.start("a", "c", []string{"forever"})
	var sum time.Duration
	for b.Loop() {
		out := &firstByte{}
		began := time.Now()
		if _, err := n.r.Exec(context.Background(), "c", container.ExecConfig{Args: []string{"/tool", "echo", "x"},
			Streams: container.Streams{Stdout: out, Stderr: io.Discard}}); err != nil {
			b.Fatal(err)
		}
		sum += out.at.Sub(began)
	}
	b.ReportMetric(float64(sum.Milliseconds())/float64(b.N), "ms-to-first-byte")
}

func BenchmarkThirtyPods(b *testing.B) {
	n := newNode(b)
	round := 0
	for b.Loop() {
		round++
		var wg sync.WaitGroup
		room := make(chan struct{}, 6)
		for i := range 30 {
			wg.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				id := fmt.Sprintf("r%dp%d", round, i)
				n.sandbox(id)
				n.start(id, "c"+id, []string{"forever"})
			})
		}
		wg.Wait()
		b.StopTimer()
		if round == 1 {
			reportShims(b, n)
		}
		all, _ := n.r.Sandboxes(context.Background())
		began := time.Now()
		for _, s := range all {
			wg.Go(func() {
				if err := n.r.RemoveSandbox(context.Background(), s.ID); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms-to-remove-30")
		b.StartTimer()
	}
}

// reportShims gives the memory of one shim.
func reportShims(b *testing.B, n *node) {
	var rss, count float64
	for _, pid := range shims(n.cfg.Dir) {
		body, err := os.ReadFile("/proc/" + itoa(pid) + "/status")
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(body)) {
			var kb float64
			if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kb); err == nil {
				rss += kb
				count++
			}
		}
	}
	b.ReportMetric(rss/count/1024, "MB-RSS/shim")
}
