package apiserver

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

// direct carries a client's requests to the server in its own process. It is the same HTTP as from afar, but requests and answers pass
// as values: writing them out as bytes and reading them again, by four goroutines for each connection, would be a seventh of what many pods cost.
// What takes over its connection goes by wire.
type direct struct {
	server *Server
	user   auth.User
	wire   http.RoundTripper
}

// RoundTrip hands the request to the server: in the caller's goroutine, but for a watch, whose answer has no end.
func (d *direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if takesOver(r) {
		return d.wire.RoundTrip(r)
	}
	if r.Body != nil {
		defer r.Body.Close()
	}
	if !d.server.enter() {
		return nil, net.ErrClosed
	}
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), pipeUserKey{}, &d.user))
	in := arriving(ctx, r)
	if watches(r) {
		return d.stream(r, in, cancel)
	}
	defer d.server.inside.Done()
	defer cancel()
	w := &answer{header: http.Header{}}
	d.server.ServeHTTP(w, in)
	// Whoever has given up is told so, and not what the server made of that.
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return response(r, cmp.Or(w.code, http.StatusOK), w.header, io.NopCloser(&w.body), int64(w.body.Len())), nil
}

// takesOver says whether a request may make a stream of its own out of its connection.
func takesOver(r *http.Request) bool {
	if r.Header.Get("Upgrade") != "" {
		return true
	}
	p := parsePath(r, nil)
	return slices.Contains([]string{"exec", "attach", "portforward", "proxy", "log"}, p.subresource)
}

func watches(r *http.Request) bool { return parsePath(r, r.URL.Query()).verb == "watch" }

// arriving is a client's request as a server sees it.
func arriving(ctx context.Context, r *http.Request) *http.Request {
	in := r.WithContext(ctx)
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	in.RequestURI = in.URL.RequestURI()
	in.Host = cmp.Or(r.Host, r.URL.Host)
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return in
}

func response(r *http.Request, code int, header http.Header, body io.ReadCloser, length int64) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(code) + " " + http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: body, ContentLength: length, Request: r,
	}
}

// answer gathers an answer that has an end.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(code int) {
	if a.code != 0 {
		return
	}
	a.code = code
	if n, err := strconv.Atoi(a.header.Get("Content-Length")); err == nil {
		a.body.Grow(n)
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// stream runs the request in a goroutine of its own and gives the answer once its headers are there. Closing the answer's body ends it.
func (d *direct) stream(r, in *http.Request, cancel context.CancelFunc) (*http.Response, error) {
	read, write := io.Pipe()
	w := &streamed{header: http.Header{}, begun: make(chan int, 1), body: write}
	go func() {
		defer d.server.inside.Done()
		defer cancel()
		defer write.Close()
		d.server.ServeHTTP(w, in)
		w.WriteHeader(http.StatusOK)
	}()
	end := func() error {
		cancel()
		return read.Close()
	}
	select {
	case code := <-w.begun:
		return response(r, code, w.sent, &streamBody{bufio.NewReader(read), end}, -1), nil
	case <-r.Context().Done():
		_ = end()
		return nil, r.Context().Err()
	}
}

// streamed passes an answer on as it is written.
type streamed struct {
	header, sent http.Header
	begun        chan int
	body         *io.PipeWriter
}

func (s *streamed) Header() http.Header { return s.header }

func (s *streamed) WriteHeader(code int) {
	if s.sent == nil {
		s.sent = s.header.Clone()
		s.begun <- code
	}
}

func (s *streamed) Write(b []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return s.body.Write(b)
}

// Flush has only the headers to send: nothing else is held back.
func (s *streamed) Flush() { s.WriteHeader(http.StatusOK) }

type streamBody struct {
	*bufio.Reader
	end func() error
}

func (b *streamBody) Close() error { return b.end() }
