package hollow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// up starts a sandbox and a container in it.
func up(t *testing.T, r *Runtime, name string) container.Sandbox {
	t.Helper()
	s, err := r.StartSandbox(t.Context(), container.SandboxConfig{ID: "s-" + name})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.CreateContainer(t.Context(), s.ID, container.ContainerConfig{ID: name, Name: name}); err != nil {
		t.Fatal(err)
	}
	if err := r.StartContainer(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return s
}

func status(t *testing.T, r *Runtime, id string) container.Container {
	t.Helper()
	c, err := r.ContainerStatus(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEnds(t *testing.T) {
	does := map[string]Behaviour{
		"stays": {}, "exits": {Ends: true, After: time.Minute, Code: 3}, "oom": {Ends: true, After: time.Minute, Code: 137, OOM: true},
		"slow": {StopTakes: 20 * time.Second}, "clean": {StopsClean: true},
	}
	tests := []struct {
		name  string
		grace time.Duration // of a stop; 0: none
		state container.State
		code  int
		took  time.Duration
	}{
		{"stays", 0, container.Running, 0, 0},
		{"exits", 0, container.Exited, 3, time.Minute},
		{"oom", 0, container.Exited, 137, time.Minute},
		{"stays", 30 * time.Second, container.Exited, 143, 0},
		{"clean", 30 * time.Second, container.Exited, 0, 0},
		{"slow", 30 * time.Second, container.Exited, 143, 20 * time.Second},
		{"slow", 10 * time.Second, container.Exited, 137, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s with %s", tt.name, tt.grace), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := New(Config{Behave: func(c container.ContainerConfig) Behaviour { return does[c.Name] }})
				up(t, r, tt.name)
				if tt.grace > 0 {
					if err := r.StopContainer(t.Context(), tt.name, "", tt.grace); err != nil {
						t.Fatal(err)
					}
				} else {
					time.Sleep(2 * time.Minute)
				}
				c := status(t, r, tt.name)
				if c.State != tt.state || c.ExitCode != tt.code || c.OOMKilled != does[tt.name].OOM {
					t.Errorf("state %s, code %d, out of memory %v", c.State, c.ExitCode, c.OOMKilled)
				}
				if c.State == container.Exited && c.Finished.Sub(c.Started) != tt.took {
					t.Errorf("ran for %s, want %s", c.Finished.Sub(c.Started), tt.took)
				}
			})
		})
	}
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := New(Config{})
		events, err := r.Events(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 { // nobody reads yet, and nobody waits
			up(t, r, fmt.Sprint(i))
		}
		r.KillShim("s-7")
		for i := range 100 {
			if e := <-events; e.ContainerID != fmt.Sprint(i) || e.State != container.Running {
				t.Fatalf("event %d: %+v", i, e)
			}
		}
		if e := <-events; e.ContainerID != "7" || e.State != container.Exited || status(t, r, "7").Reason != "ShimDied" {
			t.Errorf("last event: %+v", e)
		}
		cancel()
		if _, ok := <-events; ok {
			t.Error("the channel goes on after its context")
		}
	})
}

func TestAddresses(t *testing.T) {
	r := New(Config{PodRange: netip.MustParsePrefix("10.1.0.0/29")}) // six are left beside the network's and the node's
	start := func(id string) (string, error) {
		s, err := r.StartSandbox(t.Context(), container.SandboxConfig{ID: id})
		if err != nil {
			return "", err
		}
		return s.IPs[0], nil
	}
	seen := map[string]bool{}
	for i := range 6 {
		ip, err := start(fmt.Sprint(i))
		if err != nil || seen[ip] {
			t.Fatalf("address %d: %s, %v", i, ip, err)
		}
		seen[ip] = true
	}
	if again, err := start("0"); err != nil || again != "10.1.0.2" {
		t.Errorf("the same sandbox again: %s, %v", again, err)
	}
	if _, err := start("6"); err == nil {
		t.Error("a seventh address was found")
	}
	if err := r.RemoveSandbox(t.Context(), "3"); err != nil {
		t.Fatal(err)
	}
	if ip, err := start("6"); err != nil || ip != "10.1.0.5" {
		t.Errorf("the freed address: %s, %v", ip, err)
	}
}

func TestDial(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	r := New(Config{Behave: func(c container.ContainerConfig) Behaviour {
		if c.Name == "web" {
			return Behaviour{Handler: handler}
		}
		return Behaviour{}
	}})
	web, mute := up(t, r, "web"), up(t, r, "mute")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return r.Dial(ctx, "", network, address)
	}}}
	resp, err := client.Get("http://" + web.IPs[0] + ":80/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "hello" {
		t.Errorf("got %q", b)
	}
	_, err = r.Dial(t.Context(), mute.ID, "tcp", "localhost:80")
	if !errors.Is(err, syscall.ECONNREFUSED) || err.Error() != "dial tcp localhost:80: connect: connection refused" {
		t.Errorf("a port that nobody serves: %v", err)
	}
}

func TestImages(t *testing.T) {
	broken := errors.New("manifest unknown")
	r := New(Config{Pull: func(ref string) (time.Duration, int64, error) {
		if ref == "bad" {
			return 0, 0, broken
		}
		return 0, 42, nil
	}})
	images := r.Images()
	if _, ok, _ := images.Get(t.Context(), "redis:5"); ok {
		t.Error("an image is there before its pull")
	}
	if _, err := images.Pull(t.Context(), "bad", nil, nil); !errors.Is(err, broken) {
		t.Errorf("pull: %v", err)
	}
	img, err := images.Pull(t.Context(), "docker.io/library/redis:5", nil, nil)
	if err != nil || img.Size != 42 || img.RepoDigests[0] != "docker.io/library/redis@"+img.ID {
		t.Errorf("pulled %+v, %v", img, err)
	}
	if got, ok, _ := images.Get(t.Context(), img.ID); !ok || got.RepoTags[0] != "docker.io/library/redis:5" {
		t.Errorf("by id: %+v, %v", got, ok)
	}
	if err := images.Remove(t.Context(), img.ID); err != nil {
		t.Fatal(err)
	}
	if list, _ := images.List(t.Context()); len(list) != 0 {
		t.Errorf("left: %v", list)
	}
}
