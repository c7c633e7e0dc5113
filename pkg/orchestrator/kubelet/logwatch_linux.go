package kubelet

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// logWatcher tells those who follow logs that something was written. All share one inotify instance, which is there only
// while someone follows: the kernel gives a user no more than 128.
type logWatcher struct {
	mu   sync.Mutex
	file *os.File
	dirs map[string]*watchedDir
	byWD map[int32]*watchedDir
}

type watchedDir struct {
	wd   int32
	subs map[chan struct{}]struct{}
}

const logEvents = unix.IN_MODIFY | unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_CLOSE_WRITE

// watch gives a channel that gets a value whenever the log's directory changes.
func (l *logWatcher) watch(path string) (changed <-chan struct{}, stop func(), err error) {
	dir := filepath.Dir(path)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
		if err != nil {
			return nil, nil, os.NewSyscallError("inotify_init1", err)
		}
		l.file = os.NewFile(uintptr(fd), "inotify")
		l.dirs, l.byWD = map[string]*watchedDir{}, map[int32]*watchedDir{}
		go l.read(l.file)
	}
	d := l.dirs[dir]
	if d == nil {
		wd, err := l.add(dir)
		if err != nil {
			l.closeIfIdle()
			return nil, nil, err
		}
		d = &watchedDir{wd: wd, subs: map[chan struct{}]struct{}{}}
		l.dirs[dir], l.byWD[wd] = d, d
	}
	ch := make(chan struct{}, 1)
	d.subs[ch] = struct{}{}
	return ch, func() { l.leave(dir, d, ch) }, nil
}

// add registers a directory, by the file's raw descriptor so that reads stay with the poller.
func (l *logWatcher) add(dir string) (wd int32, err error) {
	conn, err := l.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	if ctl := conn.Control(func(fd uintptr) {
		n, e := unix.InotifyAddWatch(int(fd), dir, logEvents)
		wd, err = int32(n), os.NewSyscallError("inotify_add_watch", e)
	}); ctl != nil {
		return 0, ctl
	}
	return wd, err
}

func (l *logWatcher) leave(dir string, d *watchedDir, ch chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(d.subs, ch)
	if len(d.subs) > 0 || l.dirs[dir] != d {
		return
	}
	delete(l.dirs, dir)
	delete(l.byWD, d.wd)
	if conn, err := l.file.SyscallConn(); err == nil {
		// The directory may be gone, and its watch with it.
		_ = conn.Control(func(fd uintptr) { _, _ = unix.InotifyRmWatch(int(fd), uint32(d.wd)) })
	}
	l.closeIfIdle()
}

func (l *logWatcher) closeIfIdle() {
	if len(l.dirs) == 0 && l.file != nil {
		l.file.Close() // ends read
		l.file = nil
	}
}

func (l *logWatcher) read(f *os.File) {
	buf := make([]byte, 16<<10)
	for {
		n, err := f.Read(buf)
		if err != nil {
			return
		}
		l.mu.Lock()
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			wd := int32(binary.NativeEndian.Uint32(b))
			size := binary.NativeEndian.Uint32(b[12:])
			if d := l.byWD[wd]; d != nil && l.file == f {
				d.tell()
			}
			b = b[min(len(b), unix.SizeofInotifyEvent+int(size)):]
		}
		l.mu.Unlock()
	}
}

func (d *watchedDir) tell() {
	for ch := range d.subs {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// tell wakes those who follow a log: its container has ended.
func (l *logWatcher) tell(path string) {
	if path == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.dirs[filepath.Dir(path)]; d != nil {
		d.tell()
	}
}
