package orchestrator

import (
	"encoding/json"
	"io"
	"sync"
)

// Reporter tells whoever started this process how the start goes: one JSON object a line, progress any number of times,
// then ready or an error, and the end. A nil Reporter is silent.
type Reporter struct {
	mu sync.Mutex
	w  io.WriteCloser
}

// NewReporter writes to w and closes it when the start has ended.
func NewReporter(w io.WriteCloser) *Reporter { return &Reporter{w: w} }

// Progress says in a few words what is being done.
func (r *Reporter) Progress(text string) { r.send(map[string]any{"progress": text}, false) }

// Ready ends the start.
func (r *Reporter) Ready() { r.send(map[string]any{"ready": true}, true) }

// Running says that another process runs the cluster already.
func (r *Reporter) Running() { r.send(map[string]any{"running": true}, true) }

// Fail ends the start with an error.
func (r *Reporter) Fail(err error) { r.send(map[string]any{"error": err.Error()}, true) }

func (r *Reporter) send(v any, last bool) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.w == nil {
		return
	}
	// The reader may be gone (Ctrl-C): the cluster goes on all the same.
	_ = json.NewEncoder(r.w).Encode(v)
	if last {
		_ = r.w.Close()
		r.w = nil
	}
}
