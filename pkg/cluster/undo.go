package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ours tells whether dir may be filled and removed as a cluster's: it holds one, or the beginnings of one, or nothing.
func ours(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return true
	}
	for _, e := range entries {
		switch e.Name() {
		case "cluster.json", "server.log", "server.lock":
			return true
		}
	}
	return false
}

// undoFirst looks at dir before a start and gives what to do with the start's error: where nothing was before, a start that
// failed leaves nothing, not even its own server where a further node was the matter. What was there already, a cluster or the
// files of somebody else, stays, and so does the server of another start.
func undoFirst(skiffd, dir string) func(failure error, mine bool) error {
	entries, err := os.ReadDir(dir)
	isNew := errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0
	return func(failure error, mine bool) error {
		if failure == nil || !isNew || !mine && serverRuns(dir) {
			return failure
		}
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return failure
		}
		log := filepath.Join(dir, "server.log")
		if text := failure.Error(); strings.HasSuffix(text, "its log is "+log) {
			failure = errors.New(strings.TrimSuffix(text, "; its log is "+log))
			if end := tail(log, 10); strings.TrimSpace(end) != "" {
				failure = fmt.Errorf("%w; the end of its log:\n%s", failure, end)
			}
		}
		if out, err := exec.Command(skiffd, "delete", "--data-dir="+dir).CombinedOutput(); err != nil {
			return errors.Join(failure, fmt.Errorf("remove what was made of it: %s", strings.TrimSpace(strings.TrimPrefix(string(out), "error: "))))
		}
		return failure
	}
}
