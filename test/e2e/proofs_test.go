package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// must runs a shell line on the machine and gives what it printed.
func must(t *testing.T, line string) string {
	t.Helper()
	out, err := theMachine.Must(t.Context(), "/bin/sh", "-c", line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// within repeats check until it has nothing to complain of.
func within(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %v", limit, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// write puts a file into the machine's home.
func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(theMachine.Home(), name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

const clientPod = `
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: "busybox:1.36", command: [sleep, "3600"]}]
`

// TestConnections sends 200 new connections from the host, and from a pod by cluster address and by name; all five pods answer.
func TestConnections(t *testing.T) {
	must(t, "kubectl create deployment five --image=gcr.io/google-samples/node-hello:1.0 --replicas=5")
	t.Cleanup(func() { theMachine.Run(context.Background(), "skiff", "cluster", "delete") })
	must(t, "kubectl expose deployment five --type=LoadBalancer --port=80 --target-port=8080")
	write(t, "client.yaml", clientPod)
	must(t, "kubectl apply -f client.yaml && kubectl rollout status deployment/five && kubectl wait --for=condition=Ready pod/client")
	ip := must(t, "kubectl wait --for=jsonpath='{.status.loadBalancer.ingress[0].ip}' service/five >/dev/null; kubectl get service five -o jsonpath='{.status.loadBalancer.ingress[0].ip}'")
	clusterIP := must(t, "kubectl get service five -o jsonpath='{.spec.clusterIP}'")
	for name, line := range map[string]string{
		"host":       "for i in $(seq 200); do curl -sS --retry 5 --retry-connrefused http://" + ip + "/host; done",
		"cluster IP": "kubectl exec client -- sh -c 'for i in $(seq 200); do wget -qO- http://" + clusterIP + "/address; done'",
		"DNS name":   "kubectl exec client -- sh -c 'for i in $(seq 200); do wget -qO- http://five.default.svc.cluster.local/name; done'",
	} {
		if got := strings.Count(must(t, line), "Hello Kubernetes!"); got != 200 {
			t.Errorf("%s: %d of 200 answered", name, got)
		}
	}
	checkRules(t, "skiff", "skiff-1")
	pods := strings.Fields(must(t, "kubectl get pods -l app=five -o name"))
	for _, path := range []string{"/host", "/address", "/name"} {
		total := 0
		for _, pod := range pods {
			n := strings.Count(must(t, "kubectl logs "+pod), "URL: "+path)
			if n == 0 {
				t.Errorf("%s got none of the requests to %s", pod, path)
			}
			total += n
		}
		if len(pods) != 5 || total < 200 {
			t.Errorf("%s: %d pods saw %d requests", path, len(pods), total)
		}
	}
}

const greedy = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: v1
kind: Pod
metadata: {name: greedy}
spec:
  restartPolicy: Never
  containers:
  - name: c
    image: busybox:1.36
    command: [sh, -c, "x=a; while :; do x=$x$x; done"]
    resources: {limits: {memory: 64Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: busybox:1.36
    command: [sh, -c, "while :; do :; done"]
    resources: {limits: {cpu: 100m}}
    volumeMounts: [{name: settings, mountPath: /settings}]
  volumes: [{name: settings, configMap: {name: settings}}]
`

// TestLimitsAndVolumes: a process over its memory limit is killed and says so, a CPU limit holds, and an edited ConfigMap reaches the
// running pod by a swap of ..data.
func TestLimitsAndVolumes(t *testing.T) {
	write(t, "greedy.yaml", greedy)
	must(t, "kubectl apply -f greedy.yaml")
	t.Cleanup(func() { theMachine.Run(context.Background(), "skiff", "cluster", "delete") })
	const end = "{.status.containerStatuses[0].state.terminated.reason} {.status.containerStatuses[0].state.terminated.exitCode}"
	within(t, 30*time.Second, func() error {
		if got := must(t, "kubectl get pod greedy -o jsonpath='"+end+"'"); got != "OOMKilled 137" {
			return fmt.Errorf("greedy: %q", got)
		}
		return nil
	})
	must(t, "kubectl wait --for=condition=Ready pod/reader")
	before := must(t, "kubectl exec reader -- readlink /settings/..data")
	must(t, "kubectl create configmap settings --from-literal=colour=green --dry-run=client -o yaml | kubectl apply -f -")
	within(t, 10*time.Second, func() error {
		if got := must(t, "kubectl exec reader -- cat /settings/colour"); got != "green" {
			return fmt.Errorf("colour: %q", got)
		}
		return nil
	})
	if after := must(t, "kubectl exec reader -- readlink /settings/..data"); after == before {
		t.Errorf("..data still leads to %s", after)
	}
	began := must(t, "kubectl exec reader -- cut -d' ' -f14 /proc/1/stat")
	time.Sleep(2 * time.Second) // the measure itself: CPU time over two seconds
	ended := must(t, "kubectl exec reader -- cut -d' ' -f14 /proc/1/stat")
	var a, b int
	fmt.Sscan(began, &a)
	fmt.Sscan(ended, &b)
	if ticks := b - a; ticks < 5 || ticks > 60 { // 0.1 of a core is 20 ticks of 10 ms, and the two execs take a share
		t.Errorf("a busy loop limited to 0.1 CPU used %d ticks of 10 ms in about two seconds", ticks)
	}
}

const spread = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: five}
spec:
  replicas: 5
  selector: {matchLabels: {app: five}}
  template:
    metadata: {labels: {app: five}}
    spec:
      tolerations:
      - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 5}
      - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 5}
      containers: [{name: c, image: "gcr.io/google-samples/node-hello:1.0", ports: [{containerPort: 8080}]}]
`

// TestNodeDeath kills the second of three nodes, its agent and its containers; five pods are Ready elsewhere within 30 seconds, and the
// Service answers all the while.
func TestNodeDeath(t *testing.T) {
	must(t, "skiff cluster start three --nodes=3 --node-monitor-grace-period=5s")
	t.Cleanup(func() { theMachine.Run(context.Background(), "skiff", "cluster", "delete", "three") })
	write(t, "spread.yaml", spread)
	must(t, "kubectl apply -f spread.yaml && kubectl rollout status deployment/five && kubectl expose deployment five --type=LoadBalancer --port=80 --target-port=8080")
	ip := must(t, "kubectl wait --for=jsonpath='{.status.loadBalancer.ingress[0].ip}' service/five >/dev/null; kubectl get service five -o jsonpath='{.status.loadBalancer.ingress[0].ip}'")
	const elsewhere = `kubectl get pods -l app=five -o jsonpath='{range .items[*]}{.spec.nodeName} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}'`
	if out := must(t, elsewhere); !strings.Contains(out, "three-2 True") {
		t.Fatalf("no pod runs on three-2:\n%s", out)
	}
	visitors := send("http://"+ip+"/", 50*time.Millisecond, time.Second)
	killNode(t, "three-2")
	began := time.Now()
	within(t, 30*time.Second, func() error {
		out := must(t, elsewhere)
		if n := strings.Count(out, "three-1 True") + strings.Count(out, "three-3 True"); n < 5 {
			return fmt.Errorf("%d ready elsewhere:\n%s", n, out)
		}
		return nil
	})
	t.Logf("five Ready elsewhere %s after the death of three-2", time.Since(began).Round(100*time.Millisecond))
	recovered := time.Now()
	<-time.After(2 * time.Second) // the measure itself: a while of traffic afterwards
	gap, failed := visitors.end(recovered)
	t.Logf("%d requests answered, %d failed in all, at most %s without an answer", len(visitors.answered), len(visitors.failed), gap.Round(10*time.Millisecond))
	if len(failed) > 0 {
		t.Errorf("%d requests failed after five were Ready, the first with %v", len(failed), failed[0].err)
	}
	if gap > 3*time.Second {
		t.Errorf("nobody answered for %s", gap)
	}
}

// killNode kills a node's agent and shims, which take their containers along.
func killNode(t *testing.T, node string) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, dir := range dirs {
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		exe, linkErr := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil || linkErr != nil || !strings.HasPrefix(exe, theMachine.Dir) {
			continue
		}
		cwd, _ := os.Readlink(filepath.Join(dir, "cwd"))
		args := string(line) + " " + cwd
		if !strings.Contains(args, "--node="+node) && !strings.Contains(args, "/nodes/"+node+"/") {
			continue
		}
		var pid int
		fmt.Sscan(filepath.Base(dir), &pid)
		if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
			killed++
		}
	}
	if killed < 2 {
		t.Fatalf("killed %d processes of %s, want its agent and a shim at least", killed, node)
	}
}
