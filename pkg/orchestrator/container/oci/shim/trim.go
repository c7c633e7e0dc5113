package shim

import (
	"bufio"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// trimDelay is how long the shim must have started nothing before it makes itself small: longer than many pods take that start at
// once, so that it takes no time from them.
const trimDelay = 4 * time.Second

const (
	// busyPace has no garbage collected while a container starts: the heap stays below its least size for a collection, 4 MB.
	busyPace = 100
	idlePace = 25
)

// stir is called before processes are started; trim follows once no more have been for a while.
func (s *server) stir() {
	debug.SetGCPercent(busyPace)
	s.idle.Reset(trimDelay)
}

// trim gives back what starting containers took: the heap's free pages, and the program's own pages, most of
// which a shim that only waits never touches again. The kernel reads those back from the file when it does.
func trim() {
	debug.SetGCPercent(idlePace)
	debug.FreeOSMemory()
	for _, m := range cleanMappings() {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED)
	}
}

type mapping struct{ start, end uintptr }

// cleanMappings lists the parts of the program of which this process has no pages of its own. Others hold relocated data
// that is in no file.
func cleanMappings() []mapping {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer f.Close()
	var out []mapping
	var current mapping
	clean := false
	keep := func() {
		if clean {
			out = append(out, current)
		}
		clean = false
	}
	for scan := bufio.NewScanner(f); scan.Scan(); {
		fields := strings.Fields(scan.Text())
		if len(fields) == 0 {
			continue
		}
		if from, to, ok := strings.Cut(fields[0], "-"); ok && len(fields) >= 5 {
			keep()
			start, err1 := strconv.ParseUint(from, 16, 64)
			end, err2 := strconv.ParseUint(to, 16, 64)
			current = mapping{uintptr(start), uintptr(end)}
			clean = err1 == nil && err2 == nil && len(fields) >= 6 && fields[5] == self && !strings.Contains(fields[1], "w")
			continue
		}
		if name := fields[0]; (name == "Anonymous:" || name == "Swap:") && fields[1] != "0" {
			clean = false
		}
	}
	keep()
	return out
}
