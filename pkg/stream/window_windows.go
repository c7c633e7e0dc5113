package stream

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// looked at so often, since Windows tells nobody of a change.
const windowInterval = 250 * time.Millisecond

// windowChanges tells when the window may have another size.
func windowChanges(ctx context.Context) (changes <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	ticker := time.NewTicker(windowInterval)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			select {
			case c <- os.Interrupt:
			default:
			}
		}
	}()
	return c, ticker.Stop
}

// enableOutput makes the console understand the sequences that programs of other systems send.
func enableOutput(out *os.File) (restore func()) {
	h := windows.Handle(out.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil {
		return func() {}
	}
	_ = windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING)
	return func() { _ = windows.SetConsoleMode(h, mode) }
}
