package resource

import (
	"fmt"
	"io"
	"sync"

	"k8s.io/apimachinery/pkg/util/net"
)

// warnings writes each of the server's warnings once.
type warnings struct {
	out  io.Writer
	mu   sync.Mutex
	seen map[string]bool
}

func (w *warnings) add(headers []string) {
	if len(headers) == 0 {
		return
	}
	parsed, _ := net.ParseWarningHeaders(headers)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range parsed {
		if h.Code != 299 || h.Text == "" || w.seen[h.Text] {
			continue
		}
		if w.seen == nil {
			w.seen = map[string]bool{}
		}
		w.seen[h.Text] = true
		if w.out != nil {
			fmt.Fprintf(w.out, "Warning: %s\n", h.Text)
		}
	}
}

// WarningError is the failure that --warnings-as-errors makes of the warnings so far; nil if there were none.
func (c *Client) WarningError() error {
	c.warned.mu.Lock()
	defer c.warned.mu.Unlock()
	switch n := len(c.warned.seen); {
	case !c.WarningsAsErrors || n == 0:
		return nil
	case n == 1:
		return fmt.Errorf("1 warning received")
	default:
		return fmt.Errorf("%d warnings received", n)
	}
}
