// Command demo plays both tutorials, "Configuring Redis using a ConfigMap" and "Exposing an External IP Address", on real containers,
// and what comes after them, shows every command and what it prints, checks the answers, and cleans up: make demo.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/kubeskiff/skiff/test/machine"
)

func main() {
	images := flag.String("images", "loopback", "where images come from: loopback (made here) or pull (the internet)")
	flag.Parse()
	if *images != "pull" {
		machine.Enter()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *images == "pull"); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo failed:", err)
		os.Exit(1)
	}
	fmt.Println("\nboth stories passed; nothing is left behind")
}

func run(ctx context.Context, pull bool) (err error) {
	m, err := machine.New(ctx)
	if err != nil {
		return err
	}
	if pull {
		if err := m.UseInternet(); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	began := time.Now()
	s := &stage{ctx: ctx, m: m}
	for _, act := range []func(*stage) error{redis, hello, web} {
		if err := act(s); err != nil {
			return err
		}
	}
	fmt.Printf("\n%d commands in %s\n", s.commands, time.Since(began).Round(10*time.Millisecond))
	return nil
}

// stage runs commands where people can see them.
type stage struct {
	ctx      context.Context
	m        *machine.Machine
	commands int
}

// say runs a shell line as a person would type it, and checks that what it prints contains want.
func (s *stage) say(line string, want ...string) error {
	s.commands++
	fmt.Printf("\n\x1b[1m$ %s\x1b[0m\n", line)
	ctx, cancel := context.WithTimeout(s.ctx, 2*time.Minute)
	defer cancel()
	r, err := s.m.Run(ctx, "/bin/sh", "-c", line)
	fmt.Print(r.Stderr, r.Stdout)
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	if r.Code != 0 {
		return fmt.Errorf("%s: exit code %d", line, r.Code)
	}
	for _, w := range want {
		if !strings.Contains(r.Stdout, w) {
			return fmt.Errorf("%s: it does not say %q", line, w)
		}
	}
	return nil
}

type line struct {
	command string
	want    []string
}

func (s *stage) all(lines ...line) error {
	for _, l := range lines {
		if err := s.say(l.command, l.want...); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) copy(names ...string) error {
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(machine.Root(), "testdata", "manifests", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.m.Home(), filepath.Base(name)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func redis(s *stage) error {
	if err := s.copy("redis/redis-config", "redis/redis-pod.yaml"); err != nil {
		return err
	}
	return s.all(
		line{"cat <<EOF >./kustomization.yaml\nconfigMapGenerator:\n- name: example-redis-config\n  files:\n  - redis-config\nEOF", nil},
		line{"cat <<EOF >>./kustomization.yaml\nresources:\n- redis-pod.yaml\nEOF", nil},
		line{"kubectl apply -k ./", []string{"configmap/example-redis-config-", "pod/redis created"}},
		line{"kubectl get -k ./", []string{"pod/redis"}},
		line{"kubectl wait --for=condition=Ready pod/redis", []string{"pod/redis condition met"}},
		line{"kubectl exec -it redis -- redis-cli CONFIG GET maxmemory", []string{"2097152"}},
		line{"kubectl exec -it redis -- redis-cli CONFIG GET maxmemory-policy", []string{"allkeys-lru"}},
		line{"kubectl logs redis", []string{"Ready to accept connections"}},
		line{"kubectl describe pod redis", []string{"Successfully assigned default/redis"}},
		line{"kubectl delete -k ./", []string{`pod "redis" deleted`}},
	)
}

func hello(s *stage) error {
	if err := s.copy("hello/load-balancer-example.yaml"); err != nil {
		return err
	}
	const url = `http://$(kubectl get service my-service -o jsonpath='{.status.loadBalancer.ingress[0].ip}'):8080`
	return s.all(
		line{"kubectl apply -f load-balancer-example.yaml", []string{"deployment.apps/hello-world created"}},
		line{"kubectl rollout status deployment/hello-world", []string{"successfully rolled out"}},
		line{"kubectl get deployments hello-world", []string{"5/5"}},
		line{"kubectl describe deployments hello-world", []string{"5 desired | 5 updated | 5 total | 5 available"}},
		line{"kubectl get replicasets", nil},
		line{"kubectl describe replicasets", []string{"Controlled By:  Deployment/hello-world"}},
		line{"kubectl expose deployment hello-world --type=LoadBalancer --name=my-service", []string{"service/my-service exposed"}},
		line{"kubectl wait --for=jsonpath='{.status.loadBalancer.ingress[0].ip}' service/my-service", nil},
		line{"kubectl get services my-service", []string{"LoadBalancer"}},
		line{"kubectl describe services my-service", []string{"LoadBalancer Ingress:"}},
		line{"kubectl get pods --output=wide", nil},
		line{"curl -sS --retry 5 --retry-connrefused " + url + "; echo", []string{"Hello Kubernetes!"}},
		line{"kubectl scale deployment/hello-world --replicas=0", []string{"scaled"}},
		line{"kubectl scale deployment/hello-world --replicas=4", []string{"scaled"}},
		line{"kubectl set image deployment/hello-world hello-world=gcr.io/google-samples/node-hello:2.0", []string{"image updated"}},
		line{"kubectl rollout status deployment/hello-world", []string{"successfully rolled out"}},
		line{"kubectl rollout history deployment/hello-world", []string{"REVISION"}},
		line{"kubectl rollout undo deployment/hello-world", []string{"rolled back"}},
		line{"kubectl rollout status deployment/hello-world", []string{"successfully rolled out"}},
		line{"kubectl rollout pause deployment/hello-world", []string{"paused"}},
		line{"kubectl rollout resume deployment/hello-world", []string{"resumed"}},
		line{"kubectl rollout restart deployment/hello-world", []string{"restarted"}},
		line{"kubectl rollout status deployment/hello-world", []string{"successfully rolled out"}},
		line{"curl -sS " + url + "; echo", []string{"Hello Kubernetes!"}},
		line{"kubectl delete services my-service", []string{"deleted"}},
		line{"kubectl delete deployment hello-world", []string{"deleted"}},
	)
}

// web goes on without manifests, to the commands that a person ends by Ctrl-C: here timeout does, with the same signal.
func web(s *stage) error {
	return s.all(
		line{"kubectl create deployment web --image=gcr.io/google-samples/node-hello:1.0 --replicas=2", []string{"deployment.apps/web created"}},
		line{"kubectl expose deployment web --port=80 --target-port=8080", []string{"service/web exposed"}},
		line{"kubectl rollout status deployment/web", []string{"successfully rolled out"}},
		line{"timeout --signal=INT 2 kubectl get pods -w || true", []string{"Running"}},
		line{"timeout --signal=INT 5 kubectl port-forward svc/web 8080:80 & curl -s --retry 9 --retry-connrefused http://127.0.0.1:8080; echo; wait || true",
			[]string{"Forwarding from 127.0.0.1:8080 -> 8080", "Hello Kubernetes!"}},
		line{"timeout --signal=INT 2 kubectl logs -f deploy/web || true", []string{"Listening on 8080"}},
		line{"kubectl delete service/web deployment/web", []string{"deleted"}},
	)
}
