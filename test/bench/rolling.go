package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// rolling updates a Deployment under load: 200 requests a second, each over a connection of its own.
func (b *bench) rolling(ctx context.Context) error {
	if _, err := b.begin(ctx); err != nil {
		return err
	}
	for _, line := range [][]string{
		{"create", "deployment", "web", "--image=" + helloImage, "--replicas=5"},
		{"expose", "deployment", "web", "--type=LoadBalancer", "--port=8080"},
		{"rollout", "status", "deployment/web"},
		{"wait", "--for=jsonpath={.status.loadBalancer.ingress[0].ip}", "service/web"},
	} {
		if _, err := b.m.Must(ctx, "kubectl", line...); err != nil {
			return err
		}
	}
	ip, err := b.m.Must(ctx, "kubectl", "get", "service", "web", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
	if err != nil {
		return err
	}
	for i := range b.runs {
		image := fmt.Sprintf("gcr.io/google-samples/node-hello:%d.0", 2-i%2)
		l := &load{url: "http://" + ip + ":8080/"}
		stop := l.start(ctx)
		err := b.update(ctx, image)
		stop()
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "  rolling update to %s: %d requests, %d failed%s\n", image, l.sent.Load(), l.failed.Load(), l.why())
		b.add("rolling-update", float64(l.failed.Load()))
	}
	return b.end(ctx)
}

func (b *bench) update(ctx context.Context, image string) error {
	if _, err := b.m.Must(ctx, "kubectl", "set", "image", "deployment/web", "node-hello="+image); err != nil {
		return err
	}
	if _, err := b.m.Must(ctx, "kubectl", "rollout", "status", "deployment/web"); err != nil {
		return err
	}
	return sleep(ctx, 2*time.Second) // the last old pods end after the rollout
}

// load sends requests at a steady rate, whatever becomes of them.
type load struct {
	url          string
	sent, failed atomic.Int64
	first        atomic.Pointer[error]
}

func (l *load) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var all sync.WaitGroup
	all.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				all.Go(func() { l.send(client) })
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); all.Wait() }
}

func (l *load) send(client *http.Client) {
	l.sent.Add(1)
	if err := get(client, l.url); err != nil {
		l.failed.Add(1)
		l.first.CompareAndSwap(nil, &err)
	}
}

func get(client *http.Client, url string) error {
	r, err := client.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && string(body) != "Hello Kubernetes!" {
		err = errors.New("it answered " + string(body))
	}
	return err
}

func (l *load) why() string {
	if err := l.first.Load(); err != nil {
		return ", first: " + (*err).Error()
	}
	return ""
}
