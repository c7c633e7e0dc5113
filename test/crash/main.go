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
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/kubeskiff/skiff/test/machine"
)

const clusterName = "crash"

func main() {
	rounds := flag.Int("rounds", 50, "how many times to kill")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random moments, victims and writes")
	keep := flag.String("logs", "", "folder to keep the writers' and the cluster's logs in when the test fails")
	flag.Parse()
	machine.Enter()
	klog.SetLogger(klog.Logger{}) // what client-go thinks of servers that vanish
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
	mortals []mortal // of the round
}

// totals are what the summary counts.
type totals struct{ writes, unsure, servers, agents, shims, ended, containers int }

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
	fmt.Printf("crash-test: %d rounds in %s: killed %d servers, %d agents and %d shims inside %d acknowledged writes and %d unsure ones; none lost, none that was never written; %d running containers found, none lost, none doubled; %d containers ended while their agent was dead, and their codes were told\n",
		rounds, time.Since(began).Round(time.Second), n.servers, n.agents, n.shims, n.writes, n.unsure, n.containers, n.ended)
	return nil
}

// round lets the writers write, kills, starts again, and compares.
func (t *trial) round(ctx context.Context, number int) error {
	if err := t.makeMortals(ctx, number); err != nil {
		return err
	}
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
	began = time.Now()
	writes, err := t.compare(ctx, hit)
	if err != nil {
		return fmt.Errorf("after %s were killed: %w", hit, err)
	}
	rest := time.Since(began)
	t.count(hit, writes)
	fmt.Printf("round %2d: killed %-26s (%d ended unseen) up again in %s; %d writes, %d objects and %d containers agree after %s\n",
		number, hit, hit.ended, up.Round(time.Millisecond), writes.acknowledged, writes.objects, writes.containers, rest.Round(time.Millisecond))
	return nil
}

func (t *trial) count(h *hits, f findings) {
	t.totals.writes += f.acknowledged
	t.totals.unsure += f.unsure
	t.totals.servers += h.servers
	t.totals.agents += h.agents
	t.totals.shims += h.shims
	t.totals.ended += h.ended
	t.totals.containers += f.containers
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

// keepLogs copies what tells how a failure came about: the writers' and the cluster's logs, the records of its containers, and what
// the API says, if it still answers.
func keepLogs(m *machine.Machine, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("keep logs: %w", err)
	}
	var errs []error
	for _, pattern := range []string{"*.jsonl", "server.log", "nodes/*/agent.log", "nodes/*/containers/sandboxes/*/*.log", "nodes/*/containers/sandboxes/*/*.json", "nodes/*/containers/sandboxes/*/containers/*/*.json"} {
		root := m.Cluster(clusterName)
		if pattern == "*.jsonl" {
			root = m.Dir
		}
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		errs = append(errs, err)
		for _, path := range paths {
			name := strings.ReplaceAll(strings.TrimPrefix(path, root+"/"), "/", "_")
			data, err := os.ReadFile(path)
			errs = append(errs, err, os.WriteFile(filepath.Join(dir, name), data, 0o600))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	objects, err := m.Run(ctx, "kubectl", "get", "pods,deployments,replicasets,events", "-o", "yaml")
	return errors.Join(append(errs, err, os.WriteFile(filepath.Join(dir, "objects.yaml"), []byte(objects.Stdout+objects.Stderr), 0o600))...)
}
