package kubelet

import (
	"context"
	"net/netip"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
)

// TestDrain: the signal waits for the services to turn away, then for answers that are owed, and for neither too long.
func TestDrain(t *testing.T) {
	owing := container.Socket{Local: netip.MustParseAddrPort("10.244.0.2:80"), Owes: true}
	for _, c := range []struct {
		name          string
		turned, owed  time.Duration // how long it takes
		grace         int64
		service, told bool
		want          time.Duration
	}{
		{"nothing to wait for", 0, 0, 30, false, false, drainRest},
		{"services turn away", time.Second, 0, 30, true, true, time.Second + drainRest},
		{"an answer is owed", time.Second, 2 * time.Second, 30, true, true, 2*time.Second + drainRest},
		{"services never turn away", time.Hour, 0, 30, true, true, drainLimit},
		{"an answer never comes", 0, time.Hour, 30, true, true, drainLimit},
		{"a short grace period", time.Hour, 0, 4, true, true, 2 * time.Second},
		{"hardly any grace period", time.Hour, 0, 1, true, true, minimalGrace / 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sockets
			s.set(listener("[::]:80"))
			onBed(t, map[string]hollow.Behaviour{"app": {Sockets: s.get}}, func(b *bed) {
				b.stop()
				var told bool
				b.config.Drained = func(ctx context.Context, ip string, says func() bool) error {
					told = says()
					if ip != "10.244.0.2" {
						t.Errorf("drained %s", ip)
					}
					if !sleep(ctx, c.turned) {
						return ctx.Err()
					}
					return nil
				}
				b.start()
				if c.service {
					b.createService()
				}
				b.create(webPod("app"))
				b.until("web", "ready", ready)
				s.set(listener("[::]:80"), owing)
				answered := time.AfterFunc(c.owed, func() { s.set(listener("[::]:80")) })
				defer answered.Stop()
				began := time.Now()
				if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), "web", metav1.DeleteOptions{GracePeriodSeconds: &c.grace}); err != nil {
					t.Fatal(err)
				}
				b.gone("web")
				if took := time.Since(began); took < c.want || took > c.want+200*time.Millisecond {
					t.Errorf("ended after %s, want %s", took, c.want)
				}
				if told != c.told {
					t.Errorf("services will be told: %v", told)
				}
			})
		})
	}
}
