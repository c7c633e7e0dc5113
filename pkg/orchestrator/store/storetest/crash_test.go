package storetest

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// The child of the crash test is this test binary with these variables set.
const (
	crashFile  = "SKIFF_STORETEST_FILE"
	crashRound = "SKIFF_STORETEST_ROUND"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		if err := crashChild(path, os.Getenv(crashRound)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// crashChild writes from four goroutines until it is killed. It says "try KEY VALUE" before and "did KEY VALUE" after each
// write, in single writes to a pipe, which outlives the process.
func crashChild(path, round string) error {
	log, err := store.OpenBolt(path)
	if err != nil {
		return err
	}
	s, err := store.New(log, Codec{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				k, value := key("a", fmt.Sprintf("w%d-%d", w, i%7)), fmt.Sprintf("%s-%d", round, i)
				op := update(k, value, "", 0)
				switch _, err := s.Get(ctx, k); {
				case err != nil:
					op = create(k, value, "")
				case i%5 == 4:
					op, value = remove(k, 0), "-"
				}
				fmt.Printf("try %s %s\n", k.Name, value)
				// The second key of the transaction must always tell the same as the first.
				twin := op
				twin.Key.Name += "-twin"
				if op.Object != nil {
					twin.Object = &Object{Value: value}
				}
				if _, err := s.Txn(ctx, op, twin); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Printf("did %s %s\n", k.Name, value)
			}
		}()
	}
	select {}
}

// TestCrash kills a writing process at random moments: whatever it was told is written is there, nothing else is but
// what was under way, and transactions are whole.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	known := map[string]string{} // the acknowledged state, by key
	var last int64
	for round := range 8 {
		tried := crashRoundOf(t, path, round, known)
		log, err := store.OpenBolt(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := store.New(log, Codec{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Revision() < last {
			t.Fatalf("round %d: revision %d after %d", round, s.Revision(), last)
		}
		last = s.Revision()
		page, err := s.List(t.Context(), pods, store.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, i := range page.Items {
			found[i.Key.Name] = i.Object.(*Object).Value
		}
		compareCrash(t, round, known, tried, found)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			return
		}
	}
}

// crashRoundOf runs a child for a moment. It brings known up to date and gives the writes without an answer.
func crashRoundOf(t *testing.T, path string, round int, known map[string]string) (tried map[string]string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashFile+"="+path, fmt.Sprintf("%s=%d", crashRound, round))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tried = map[string]string{}
	var once sync.Once
	acknowledged := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) != 3 {
			continue // cut off by the kill
		}
		switch words[0] {
		case "try":
			tried[words[1]] = words[2]
		case "did":
			acknowledged++
			known[words[1]] = words[2]
			delete(tried, words[1])
			// The clock starts at the first answer, so that a slow start is no empty round.
			once.Do(func() {
				time.AfterFunc(time.Duration(5+rand.IntN(60))*time.Millisecond, func() { _ = cmd.Process.Kill() })
			})
		}
	}
	_ = cmd.Wait()
	if acknowledged == 0 {
		t.Fatalf("round %d: the child wrote nothing", round)
	}
	return tried
}

func compareCrash(t *testing.T, round int, known, tried, found map[string]string) {
	for name, value := range known {
		got, ok := found[name]
		if !ok {
			got = "-"
		}
		if got == value {
			continue
		}
		if under, open := tried[name]; open && got == under {
			known[name] = got
			continue
		}
		t.Errorf("round %d: %s is %q, was acknowledged as %q (under way: %q)", round, name, got, value, tried[name])
	}
	for name, value := range found {
		if base, twin := strings.CutSuffix(name, "-twin"); twin {
			if found[base] != value {
				t.Errorf("round %d: half a transaction: %s is %q, %s is %q", round, name, value, base, found[base])
			}
			continue
		}
		if _, ok := known[name]; !ok && tried[name] != value {
			t.Errorf("round %d: %s is %q, which nobody wrote", round, name, value)
		}
		if found[name+"-twin"] != value {
			t.Errorf("round %d: half a transaction: %s is %q, its twin %q", round, name, value, found[name+"-twin"])
		}
		known[name] = value
	}
}
