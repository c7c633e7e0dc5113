package apiserver

import (
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/net"
)

// warnings are the texts of a request's Warning headers, each once, bounded as the real server bounds them.
type warnings struct {
	texts []string
	bytes int
}

const maxWarningBytes, maxWarningText = 4 * 1024, 256

func (w *warnings) add(texts ...string) {
	for _, t := range texts {
		if t == "" || slices.Contains(w.texts, t) || w.bytes > maxWarningBytes {
			continue
		}
		w.bytes += len(t)
		w.texts = append(w.texts, t)
	}
}

// write puts the headers; it must run before the first byte of the body.
func (w *warnings) write(h http.Header) {
	total := 0
	for _, t := range w.texts {
		total += len(t)
	}
	for _, t := range w.texts {
		if total > maxWarningBytes && len(t) > maxWarningText {
			t = strings.ToValidUTF8(t[:maxWarningText], "")
		}
		if text, err := net.NewWarningHeader(299, "-", t); err == nil {
			h.Add("Warning", text)
		}
	}
}
