package orchestrator

import (
	"context"
	"errors"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// dialer connects to an address.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// patient makes a dialer wait at a door that is shut, until somebody opens it or the caller goes: a server that starts again finds its
// agents there. Without that every informer would back off by itself, for up to a minute after a few restarts, and miss its pods so long.
func patient(dial dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		for delay := 20 * time.Millisecond; ; delay = min(2*delay, 250*time.Millisecond) {
			conn, err := dial(ctx, network, address)
			if !errors.Is(err, unix.ECONNREFUSED) {
				return conn, err
			}
			timer := time.NewTimer(delay)
			select {
			case <-ctx.Done():
				timer.Stop()
				return nil, errors.Join(ctx.Err(), err)
			case <-timer.C:
			}
		}
	}
}
