package stream

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"
	"k8s.io/client-go/tools/remotecommand"
)

// Terminal is the user's terminal.
type Terminal struct {
	in, out *os.File
	// Redraw makes the process draw its screen anew by a change of size and back, for those that were running before.
	Redraw bool
}

// NewTerminal gives the terminal behind in, or nil if it is none. Sizes are those of out if that is a terminal too.
func NewTerminal(in, out any) *Terminal {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	t := &Terminal{in: f, out: f}
	if o, ok := out.(*os.File); ok && term.IsTerminal(int(o.Fd())) {
		t.out = o
	}
	return t
}

// raw passes every key on as it is until restore is called.
func (t *Terminal) raw() (restore func(), err error) {
	state, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("make terminal raw: %w", err)
	}
	output := enableOutput(t.out)
	return func() {
		output()
		_ = term.Restore(int(t.in.Fd()), state)
	}, nil
}

func (t *Terminal) size() (remotecommand.TerminalSize, bool) {
	w, h, err := term.GetSize(int(t.out.Fd()))
	if err != nil || w <= 0 || h <= 0 {
		return remotecommand.TerminalSize{}, false
	}
	return remotecommand.TerminalSize{Width: uint16(w), Height: uint16(h)}, true
}

// sizeQueue gives the sizes of a window as they change, the present one first.
type sizeQueue chan remotecommand.TerminalSize

// Next waits for the next size; nil is the end.
func (q sizeQueue) Next() *remotecommand.TerminalSize {
	size, ok := <-q
	if !ok {
		return nil
	}
	return &size
}

// sizes watches the window until ctx ends. It gives nil where the size is not known.
func (t *Terminal) sizes(ctx context.Context) remotecommand.TerminalSizeQueue {
	size, ok := t.size()
	if !ok {
		return nil
	}
	q := make(sizeQueue, 1)
	changes, stop := windowChanges(ctx)
	go func() {
		defer close(q)
		defer stop()
		send := func(s remotecommand.TerminalSize) bool {
			select {
			case q <- s:
				return true
			case <-ctx.Done():
				return false
			}
		}
		if t.Redraw && !send(remotecommand.TerminalSize{Width: size.Width + 1, Height: size.Height + 1}) {
			return
		}
		for ok := send(size); ok; {
			select {
			case <-ctx.Done():
				return
			case <-changes:
			}
			if now, known := t.size(); known && now != size {
				size = now
				ok = send(size)
			}
		}
	}()
	return q
}
