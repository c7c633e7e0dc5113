package kubelet

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
)

// A weightless node pulls nothing and starts nothing, and does not say that it did; what goes wrong it tells as any other.
func TestWeightlessEvents(t *testing.T) {
	onBed(t, map[string]hollow.Behaviour{"fails": exits(1, time.Millisecond)}, func(b *bed) {
		b.stop()
		b.config.Weightless = true
		b.start()
		b.create(simplePod("well", "runs"))
		b.create(simplePod("ill", "fails"))
		b.until("well", "ready", ready)
		b.Wait("the failing container is held back", func() bool { return len(b.eventsOf("ill")) > 0 })
		b.wantEvent("ill", "Warning BackOff Back-off restarting failed container fails")
		if got := b.eventsOf("well"); len(got) > 0 {
			t.Errorf("events of containers that only pretend: %v", got)
		}
	})
}

// PUT is refused once somebody else has changed the pod: then a patch brings the status and leaves alone what the other one wrote.
func TestStatusBesideOtherWriters(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		b.create(simplePod("web", "app"))
		p := b.until("web", "ready", ready)
		w := b.k.workerByName("default", "web")
		base := w.latest()
		p.Labels = map[string]string{"by": "another"}
		if _, err := b.Client().CoreV1().Pods("default").Update(b.Context(), p, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		next := base.Status.DeepCopy()
		next.Message = "news"
		written, err := w.status.put(b.Context(), base, next)
		if err != nil {
			t.Fatal(err)
		}
		if written.Status.Message != "news" || written.Labels["by"] != "another" {
			t.Errorf("message %q, labels %v", written.Status.Message, written.Labels)
		}
	})
}
