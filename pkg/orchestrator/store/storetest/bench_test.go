package storetest

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

func openBench(b *testing.B, log store.Log) store.Store {
	s, err := store.New(log, Codec{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func benchTxn(b *testing.B, log store.Log, writers int) {
	s := openBench(b, log)
	ctx := context.Background()
	for i := range 3000 {
		if _, err := s.Txn(ctx, create(key("a", fmt.Sprintf("pod-%04d", i)), "1", "n1")); err != nil {
			b.Fatal(err)
		}
	}
	var n atomic.Int64
	b.SetParallelism(writers)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := n.Add(1) % 3000
			if _, err := s.Txn(ctx, update(key("a", fmt.Sprintf("pod-%04d", i)), "2", "n2", 0)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkTxnMemory(b *testing.B) { benchTxn(b, store.Memory(), 16) }

func BenchmarkTxnBolt(b *testing.B) {
	log, err := store.OpenBolt(filepath.Join(b.TempDir(), "store.db"))
	if err != nil {
		b.Fatal(err)
	}
	benchTxn(b, log, 64)
}

func BenchmarkList(b *testing.B) {
	s := openBench(b, store.Memory())
	ctx := context.Background()
	for i := range 10000 {
		if _, err := s.Txn(ctx, create(key("a", fmt.Sprintf("pod-%05d", i)), "1", fmt.Sprintf("n%d", i%100))); err != nil {
			b.Fatal(err)
		}
	}
	for name, sel := range map[string]store.Selection{"all": pods, "field": {Resource: "pods", Field: "node", Value: "n7"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.List(ctx, sel, store.ListOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpen is a start's share: a small cluster's file opened, loaded and closed.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "store.db")
	fill := func() {
		log, err := store.OpenBolt(path)
		if err != nil {
			b.Fatal(err)
		}
		s, err := store.New(log, Codec{})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 300 {
			if _, err := s.Txn(context.Background(), create(key("a", fmt.Sprint(i)), fmt.Sprintf("%2000d", i), "n")); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	fill()
	var opening time.Duration
	for b.Loop() {
		start := time.Now()
		log, err := store.OpenBolt(path)
		if err != nil {
			b.Fatal(err)
		}
		s, err := store.New(log, Codec{})
		if err != nil {
			b.Fatal(err)
		}
		opening += time.Since(start)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(opening.Microseconds())/float64(b.N), "µs/open")
}

// BenchmarkTxnBoltAlone is the latency of one write that shares its sync with none.
func BenchmarkTxnBoltAlone(b *testing.B) {
	log, err := store.OpenBolt(filepath.Join(b.TempDir(), "store.db"))
	if err != nil {
		b.Fatal(err)
	}
	s := openBench(b, log)
	ctx := context.Background()
	i := 0
	for b.Loop() {
		i++
		if _, err := s.Txn(ctx, create(key("a", fmt.Sprint(i)), "1", "n1")); err != nil {
			b.Fatal(err)
		}
	}
}
