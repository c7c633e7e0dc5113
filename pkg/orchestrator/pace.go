package orchestrator

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// paceEvery is how often the pace of the garbage collector is thought over.
	paceEvery = time.Second
	// busyRate is how many bytes a second a server allocates that has much to do; one that idles allocates a hundredth of that.
	busyRate = 8 << 20
	// busyHeadroom is how much may pile up between two collections of a busy server, though never more than headroomFactor times what lives.
	busyHeadroom   = 384 << 20
	headroomFactor = 4
)

// pace lets the heap of a busy server grow further between collections than Go would, as long as it is small: bringing up thousands of
// pods makes little that stays and much that does not, and collecting it is a fifth of the work. A server with little to do keeps to
// Go's own pace, and to its small memory.
func (s *server) pace(ctx context.Context) error {
	tick := time.NewTicker(paceEvery)
	defer tick.Stop()
	p := pacer{usual: s.collect, percent: s.collect}
	p.look(readHeap())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if percent := p.look(readHeap()); percent != p.percent {
				p.percent = percent
				debug.SetGCPercent(percent)
			}
		}
	}
}

// heap is what has been allocated since the start, and what of it lived at the last collection.
type heap struct{ allocated, live uint64 }

func readHeap() heap {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(samples)
	return heap{samples[0].Value.Uint64(), samples[1].Value.Uint64()}
}

// pacer decides how far the heap may grow, in percent of what lives.
type pacer struct {
	usual, percent int
	last           heap
	busy           bool
}

// look is told once every paceEvery. One busy second alone changes nothing: a start has such a one, and a single command.
func (p *pacer) look(now heap) int {
	was := p.busy
	p.busy = p.last.allocated > 0 && now.allocated-p.last.allocated > busyRate*uint64(paceEvery/time.Second)
	p.last = now
	if !p.busy || !was {
		return p.usual
	}
	live := max(now.live, 1)
	return max(p.usual, int(min(busyHeadroom*100/live, headroomFactor*100)))
}
