package kubelet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

const (
	shimDied   = "ShimDied"
	startError = "StartError"

	maxMessage      = 4096 // of a termination file
	maxMessageLog   = 2048 // of a log, when it stands in
	maxMessageLines = 80
)

// termination says how a container ended, with its last words.
func (w *worker) termination(c *container.Container) *corev1.ContainerStateTerminated {
	t := &corev1.ContainerStateTerminated{
		ExitCode: int32(c.ExitCode), Signal: 0, Reason: c.Reason, Message: c.Message,
		StartedAt: *apiTime(c.Started), FinishedAt: *apiTime(c.Finished), ContainerID: w.k.scheme + c.ID,
	}
	switch {
	case c.OOMKilled:
		t.Reason = "OOMKilled"
	case c.Reason == shimDied:
		t.ExitCode = 137
		if t.Message == "" {
			t.Message = "the shim of the container was killed, and the container with it"
		}
	case t.Reason != "":
	case c.ExitCode == 0:
		t.Reason = "Completed"
	default:
		t.Reason = "Error"
	}
	spec := findContainer(w.latest(), c.Config.Name)
	if words := lastWords(c, spec); words != "" {
		t.Message = words
	}
	return t
}

// lastWords reads the termination file, or the end of the log of a container that failed and wrote none.
func lastWords(c *container.Container, spec *corev1.Container) string {
	if c.Config.TerminationMessage == "" {
		return ""
	}
	words, err := readAtMost(c.Config.TerminationMessage, maxMessage)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("Error on reading termination log %s: %v", c.Config.TerminationMessage, err)
	case words != "":
		return words
	}
	if spec == nil || spec.TerminationMessagePolicy != corev1.TerminationMessageFallbackToLogsOnError || c.ExitCode == 0 {
		return ""
	}
	return logTail(c.Config.LogPath)
}

func readAtMost(path string, most int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most))
	return string(b), err
}

// logTail is the end of a log, without times.
func logTail(path string) string {
	var b strings.Builder
	lines := int64(maxMessageLines)
	if err := readLog(path, logOptions{tail: &lines}, &b, &b); err != nil {
		return ""
	}
	s := b.String()
	return s[max(0, len(s)-maxMessageLog):]
}
