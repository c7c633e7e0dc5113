package shim

import (
	"bytes"
	"io"
	"os"
	"sync"
	"time"
)

// attachPatience is how long a client that does not read may hold a container up before it is dropped.
const attachPatience = 10 * time.Second

// fanout gives a stream's bytes to those attached.
type fanout struct {
	mu      sync.Mutex
	writers map[*os.File]func() // what to call when it is dropped
}

func (o *fanout) add(f *os.File, dropped func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writers == nil {
		o.writers = map[*os.File]func(){}
	}
	o.writers[f] = dropped
}

func (o *fanout) remove(f *os.File) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.writers, f)
}

func (o *fanout) write(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for f, dropped := range o.writers {
		_ = f.SetWriteDeadline(time.Now().Add(attachPatience))
		if _, err := f.Write(p); err != nil {
			delete(o.writers, f)
			dropped()
		}
	}
}

// pump reads a stream to its end, logging lines and feeding those attached.
func pump(r io.Reader, stream string, log *logFile, out *fanout) {
	buf := make([]byte, maxLine)
	held := 0 // bytes of a line that has not ended yet
	for {
		n, err := r.Read(buf[held:])
		if n > 0 {
			out.write(buf[held : held+n])
			held = logLines(buf, held, held+n, stream, log)
		}
		if err != nil {
			if held > 0 {
				log.write(stream, time.Now(), nil, buf[:held])
			}
			return
		}
	}
}

// logLines logs what is whole in buf[:end], moves the rest to the front and gives its length. Bytes before start are
// known to hold no newline.
func logLines(buf []byte, start, end int, stream string, log *logFile) int {
	cut := bytes.LastIndexByte(buf[start:end], '\n')
	if cut < 0 {
		if end < len(buf) {
			return end
		}
		log.write(stream, time.Now(), nil, buf[:end])
		return 0
	}
	cut += start + 1
	log.write(stream, time.Now(), buf[:cut], nil)
	return copy(buf, buf[cut:end])
}
