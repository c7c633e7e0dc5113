package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/resource"
)

// retryInterval is the pause before a log that could not be followed is asked for again.
const retryInterval = time.Second

// print writes the logs one after the other, or side by side line by line if they are followed.
func (o *Options) print(ctx context.Context, client *resource.Client, sources []source) error {
	out := &lineWriter{w: o.IO.Out}
	if !o.Follow || len(sources) < 2 {
		for _, s := range sources {
			if err := o.one(ctx, client, s, out); err != nil {
				return err
			}
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, s := range sources {
		wg.Go(func() {
			if err := o.one(ctx, client, s, out); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// one writes one log. A server that refuses to follow it is asked again for a while.
func (o *Options) one(ctx context.Context, client *resource.Client, s source, out *lineWriter) error {
	prefix := ""
	if o.Prefix {
		prefix = fmt.Sprintf("[pod/%s/%s] ", s.pod, s.container)
	}
	until := time.Now().Add(o.PodTimeout)
	for {
		err := o.copy(ctx, client, s, prefix, out)
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case o.IgnoreErrors:
			return out.line("", []byte("error: "+err.Error()+"\n"))
		case !o.Follow:
			return err
		}
		fmt.Fprintln(o.IO.ErrOut, err)
		if apierrors.ReasonForError(err) == metav1.StatusReasonUnknown {
			return err
		}
		if time.Now().Add(retryInterval).After(until) {
			return context.DeadlineExceeded
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryInterval):
		}
	}
}

// copy asks for a log and passes it on line by line, as it comes.
func (o *Options) copy(ctx context.Context, client *resource.Client, s source, prefix string, out *lineWriter) error {
	query := url.Values{}
	maps.Copy(query, o.query)
	query.Set("container", s.container)
	resp, err := client.Open(ctx, resource.Request{
		Path: "/api/v1/namespaces/" + s.namespace + "/pods/" + s.pod + "/log", Query: query,
		Resource: schema.GroupResource{Resource: "pods"}, Name: s.pod,
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for r := bufio.NewReader(resp.Body); ; {
		line, err := r.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) {
			// Longer than the buffer: kept whole, so that followed logs do not mix within a line.
			whole := append([]byte(nil), line...)
			line, err = r.ReadBytes('\n')
			line = append(whole, line...)
		}
		if werr := out.line(prefix, line); werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// lineWriter writes whole lines of several logs.
type lineWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lineWriter) line(prefix string, line []byte) error {
	if len(line) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if prefix != "" {
		line = append([]byte(prefix), line...)
	}
	_, err := l.w.Write(line)
	return err
}
