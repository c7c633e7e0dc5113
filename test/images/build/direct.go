package build

import (
	"io"
	"net/http"
)

// direct is a transport that calls a handler in this process.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	pr, pw := io.Pipe()
	w := &response{header: http.Header{}, pipe: pw, ready: make(chan struct{})}
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI = r.URL.RequestURI()
	go func() {
		d.handler.ServeHTTP(w, in)
		w.WriteHeader(http.StatusOK)
		pw.Close()
	}()
	<-w.ready
	return &http.Response{StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: pr, ContentLength: -1, Request: r}, nil
}

type response struct {
	header http.Header
	status int
	pipe   *io.PipeWriter
	ready  chan struct{}
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		w.header = w.header.Clone()
		close(w.ready)
	}
}

func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(p)
}
