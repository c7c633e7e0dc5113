package storetest

import (
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

func TestMemory(t *testing.T) {
	Run(t, func(*testing.T) func() store.Log {
		log := store.Memory()
		return func() store.Log { return log }
	})
}

func TestBolt(t *testing.T) {
	Run(t, func(t *testing.T) func() store.Log {
		path := filepath.Join(t.TempDir(), "store.db")
		return func() store.Log {
			log, err := store.OpenBolt(path)
			if err != nil {
				t.Fatal(err)
			}
			return log
		}
	})
}

// TestBubble: a memory store lives in a synctest bubble and leaves no goroutine behind.
func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, log: store.Memory}
		b.open()
		from := b.Revision()
		b.txn(create(key("a", "x"), "1", ""))
		w := b.watch(pods, from)
		if got := b.until(w); len(got) != 1 {
			t.Errorf("got %q", told(got))
		}
		b.watch(pods, 0)
		b.check(b.Close())
	})
}
