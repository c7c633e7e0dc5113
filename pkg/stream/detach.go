package stream

import (
	"fmt"
	"io"
	"strings"
)

// detachReader ends its input when the keys come that mean "let go".
type detachReader struct {
	in   io.Reader
	keys []byte
	held []byte // keys that may be the beginning of the sequence
	out  []byte // what is to be read before more comes in
	err  error
}

// Detachable reads from in until a sequence of keys comes, such as "ctrl-p,ctrl-q"; then it is at its end. Keys that only begin
// the sequence are passed on with the one that breaks it.
func Detachable(in io.Reader, sequence string) (io.Reader, error) {
	keys, err := parseKeys(sequence)
	if err != nil {
		return nil, err
	}
	return &detachReader{in: in, keys: keys}, nil
}

func (d *detachReader) Read(p []byte) (int, error) {
	for len(d.out) == 0 && d.err == nil {
		n, err := d.in.Read(p)
		d.take(p[:n])
		if d.err == nil && err != nil {
			d.out, d.held, d.err = append(d.out, d.held...), nil, err
		}
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	if n == 0 && len(p) > 0 {
		return 0, d.err
	}
	return n, nil
}

func (d *detachReader) take(data []byte) {
	for _, b := range data {
		if b != d.keys[len(d.held)] {
			d.out, d.held = append(d.out, d.held...), d.held[:0]
			if b != d.keys[0] {
				d.out = append(d.out, b)
				continue
			}
		}
		if d.held = append(d.held, b); len(d.held) == len(d.keys) {
			d.held, d.err = nil, io.EOF
			return
		}
	}
}

// parseKeys reads keys by comma: single characters, or ctrl- with a letter or one of @ [ \ ] ^ _.
func parseKeys(sequence string) ([]byte, error) {
	var keys []byte
	for key := range strings.SplitSeq(sequence, ",") {
		name, ctrl := strings.CutPrefix(key, "ctrl-")
		if len(name) != 1 {
			return nil, fmt.Errorf("Unknown character: '%s'", key)
		}
		c := name[0]
		switch {
		case !ctrl:
		case c >= 'a' && c <= 'z':
			c -= 'a' - 1
		case strings.IndexByte(`@[\]^_`, c) >= 0:
			c -= '@'
		default:
			return nil, fmt.Errorf("Unknown character: '%s'", key)
		}
		keys = append(keys, c)
	}
	return keys, nil
}
