package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// traffic sends requests over connections of their own at a steady rate, whatever becomes of them, and remembers when they failed.
type traffic struct {
	stop  context.CancelFunc
	ended sync.WaitGroup

	mu       sync.Mutex
	answered []time.Time
	failed   []failure
}

type failure struct {
	at  time.Time
	err error
}

func send(url string, every, timeout time.Duration) *traffic {
	ctx, cancel := context.WithCancel(context.Background())
	tr := &traffic{stop: cancel}
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	tr.ended.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				tr.ended.Go(func() { tr.one(client, url) })
			case <-ctx.Done():
				return
			}
		}
	})
	return tr
}

func (tr *traffic) one(client *http.Client, url string) {
	at := time.Now()
	err := get(client, url)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if err != nil {
		tr.failed = append(tr.failed, failure{at, err})
		return
	}
	tr.answered = append(tr.answered, time.Now())
}

func get(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && string(body) != "Hello Kubernetes!" {
		err = fmt.Errorf("it answered %q", body)
	}
	return err
}

// end stops the traffic and gives the longest time without an answer, and the failures since a time.
func (tr *traffic) end(since time.Time) (gap time.Duration, failed []failure) {
	tr.stop()
	tr.ended.Wait()
	for i := 1; i < len(tr.answered); i++ {
		gap = max(gap, tr.answered[i].Sub(tr.answered[i-1]))
	}
	for _, f := range tr.failed {
		if f.at.After(since) {
			failed = append(failed, f)
		}
	}
	return gap, failed
}
