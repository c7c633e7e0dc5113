package orchestrator

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

func TestPatient(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: unix.ECONNREFUSED}
	unreachable := &net.OpError{Op: "dial", Err: unix.ENETUNREACH}
	for name, c := range map[string]struct {
		opens   time.Duration // when the door opens
		behind  error         // what is behind it
		patient time.Duration
		want    error
		within  time.Duration
	}{
		"a server that restarts is found soon":   {5 * time.Minute, nil, time.Hour, nil, 5*time.Minute + 250*time.Millisecond},
		"a server that never comes is given up":  {time.Hour, nil, time.Minute, context.DeadlineExceeded, time.Minute},
		"other failures are told at once":        {0, unreachable, time.Minute, unix.ENETUNREACH, 0},
		"a server that is there is not kept off": {0, nil, time.Minute, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.patient)
				defer cancel()
				began := time.Now()
				_, err := patient(func(context.Context, string, string) (net.Conn, error) {
					if time.Since(began) < c.opens {
						return nil, refused
					}
					return nil, c.behind
				})(ctx, "tcp", "server")
				if took := time.Since(began); !errors.Is(err, c.want) || took > c.within {
					t.Errorf("got %v after %s, want %v within %s", err, took, c.want, c.within)
				}
			})
		})
	}
}
