// Command crash kills a cluster's server, agents and shims with SIGKILL at random moments inside the writes of four clients,
// starts it again, and compares what the API says with what the clients were told and with what runs: make crash-test. It
// never asks skiff itself how it fares; the judges are the writers' logs and /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubeskiff/skiff/test/machine"
)

const clusterName = "crash"

func main() {
	rounds := flag.Int("rounds", 50, "how many times to kill")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random moments, victims and writes")
	keep := flag.String("logs", "", "folder to keep the writers' and the cluster's logs in when the test fails")
	flag.Parse()
	machine.Enter()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *rounds, *seed, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "crash-test failed:", err)
		os.Exit(1)
	}
}

// trial is one cluster with its writers.
type trial struct {
	m       *machine.Machine
	client  kubernetes.Interface
	random  *rand.Rand
	writers []*writer
	totals  totals
	ledger  ledger
}

// totals are what the summary counts.
type totals struct{ writes, unsure, servers, agents, shims, ended int } // ended is the most pods seen with the code they chose

func run(ctx context.Context, rounds int, seed uint64, keep string) (err error) {
	m, err := machine.New(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && keep != "" {
			err = errors.Join(err, keepLogs(m, keep))
		}
		err = errors.Join(err, m.Close())
	}()
	t := &trial{m: m, random: rand.New(rand.NewPCG(seed, 0)), ledger: ledger{}}
	fmt.Printf("crash-test: %d rounds, seed %d\n", rounds, seed)
	if _, err := m.Must(ctx, "skiff", "cluster", "start", clusterName, "--nodes=2"); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(m.Cluster(clusterName), "kubeconfig"))
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	config.QPS, config.Timeout = -1, 10*time.Second
	if t.client, err = kubernetes.NewForConfig(config); err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	if t.writers, err = newWriters(t.client, m.Dir, seed); err != nil {
		return err
	}
	began := time.Now()
	for i := 1; i <= rounds; i++ {
		if err := t.round(ctx, i); err != nil {
			return fmt.Errorf("round %d (-seed %d): %w", i, seed, err)
		}
	}
	if err := t.clear(ctx); err != nil {
		return err
	}
	n := t.totals
	fmt.Printf("crash-test: %d rounds, %d servers, %d agents, %d shims killed, %d acknowledged writes (%d more unsure), 0 lost, 0 never written, 0 containers lost or doubled, up to %d pods that ended by themselves at once and each told its code, in %s\n",
		rounds, n.servers, n.agents, n.shims, n.writes, n.unsure, n.ended, time.Since(began).Round(time.Second))
	return nil
}

// round lets the writers write, kills, starts again, and compares.
func (t *trial) round(ctx context.Context, number int) error {
	stop := t.write(ctx)
	defer stop()
	pause(ctx, time.Duration(200+t.random.IntN(800))*time.Millisecond)
	hit, err := t.kill(ctx)
	if err != nil {
		return err
	}
	pause(ctx, time.Duration(t.random.IntN(400))*time.Millisecond)
	if t.random.IntN(4) == 0 {
		if err := t.startAndKill(ctx, hit); err != nil {
			return err
		}
	}
	began := time.Now()
	if _, err := t.m.Must(ctx, "skiff", "cluster", "start", clusterName); err != nil {
		return err
	}
	up := time.Since(began)
	pause(ctx, time.Duration(t.random.IntN(400))*time.Millisecond)
	stop()
	writes, err := t.compare(ctx, hit)
	if err != nil {
		return err
	}
	t.count(hit, writes)
	fmt.Printf("round %2d: killed %s; up again in %s; %d writes, %d objects and %d containers agree\n",
		number, hit, up.Round(time.Millisecond), writes.acknowledged, writes.objects, writes.containers)
	return nil
}

func (t *trial) count(h *hits, f findings) {
	t.totals.writes += f.acknowledged
	t.totals.unsure += f.unsure
	t.totals.servers += h.servers
	t.totals.agents += h.agents
	t.totals.shims += h.shims
	t.totals.ended = max(t.totals.ended, f.ended)
}

// pause waits for a random moment; nothing is asserted by it.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// eventually asks again and again until check has nothing to complain of, and gives its last complaint at the end.
func eventually(ctx context.Context, limit time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", limit, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func keepLogs(m *machine.Machine, dir string) error {
	logs, err := filepath.Glob(filepath.Join(m.Dir, "*.jsonl"))
	for _, pattern := range []string{"server.log", "nodes/*/agent.log", "nodes/*/containers/sandboxes/*/*.log"} {
		more, err := filepath.Glob(filepath.Join(m.Cluster(clusterName), pattern))
		if err != nil {
			return err
		}
		logs = append(logs, more...)
	}
	for _, path := range logs {
		data, readErr := os.ReadFile(path)
		name := filepath.Base(filepath.Dir(path)) + "-" + filepath.Base(path)
		err = errors.Join(err, readErr, os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	return err
}
