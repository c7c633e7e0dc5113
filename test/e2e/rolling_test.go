package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

const rolling = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: hello-world}
spec:
  replicas: 5
  selector: {matchLabels: {app.kubernetes.io/name: load-balancer-example}}
  template:
    metadata: {labels: {app.kubernetes.io/name: load-balancer-example}}
    spec:
      containers: [{name: hello-world, image: "gcr.io/google-samples/node-hello:1.0", ports: [{containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: my-service}
spec:
  type: LoadBalancer
  selector: {app.kubernetes.io/name: load-balancer-example}
  ports: [{port: 8080}]
`

const visitor = `
apiVersion: v1
kind: Pod
metadata: {name: visitor}
spec:
  nodeName: skiff-2
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: busybox:1.36
    command: [sh, -c, "while :; do wget -qO- http://my-service:8080 >/dev/null || echo FAILED; done"]
`

// TestRollingUpdate: whatever is done to the Deployment, on a machine with more to do than it can, no request fails, neither of 200 a
// second from the host nor of those that a pod on the other node sends. The program has no readiness probe, and ends at once on SIGTERM.
func TestRollingUpdate(t *testing.T) {
	must(t, "skiff cluster start --nodes=2")
	t.Cleanup(func() { theMachine.Run(context.Background(), "skiff", "cluster", "delete") })
	write(t, "rolling.yaml", rolling)
	write(t, "visitor.yaml", visitor)
	must(t, "kubectl apply -f rolling.yaml && kubectl rollout status deployment/hello-world")
	must(t, "kubectl apply -f visitor.yaml && kubectl wait --for=condition=Ready pod/visitor")
	ip := must(t, "kubectl wait --for=jsonpath='{.status.loadBalancer.ingress[0].ip}' service/my-service >/dev/null; kubectl get service my-service -o jsonpath='{.status.loadBalancer.ingress[0].ip}'")
	occupy(t, 3)
	began := time.Now()
	visitors := send("http://"+ip+":8080/", 5*time.Millisecond, 10*time.Second)
	for _, line := range []string{
		"kubectl set image deployment/hello-world hello-world=gcr.io/google-samples/node-hello:2.0",
		"kubectl rollout undo deployment/hello-world",
		"kubectl rollout restart deployment/hello-world",
		"kubectl scale deployment/hello-world --replicas=1",
		"kubectl scale deployment/hello-world --replicas=5",
		"kubectl set image deployment/hello-world hello-world=gcr.io/google-samples/node-hello:2.0 && sleep 0.7 && kubectl rollout undo deployment/hello-world",
	} {
		must(t, line+" && kubectl rollout status deployment/hello-world")
	}
	within(t, 30*time.Second, func() error { // the last old pods end after the rollout
		if pods := strings.Fields(must(t, "kubectl get pods -l app.kubernetes.io/name=load-balancer-example -o name")); len(pods) != 5 {
			return fmt.Errorf("pods: %s", pods)
		}
		return nil
	})
	_, failed := visitors.end(began)
	if len(failed) > 0 {
		t.Errorf("%d requests failed, the first with %v", len(failed), failed[0].err)
	}
	if log := must(t, "kubectl logs visitor"); strings.Contains(log, "FAILED") {
		t.Errorf("%d requests of a pod failed:\n%s", strings.Count(log, "FAILED"), log)
	}
	t.Logf("%d requests answered in %s", len(visitors.answered), time.Since(began).Round(time.Second))
}

// occupy keeps processors busy until the test ends.
func occupy(t *testing.T, loops int) {
	for range loops {
		loop := theMachine.Command(context.Background(), "/bin/sh", "-c", "while :; do :; done")
		if err := loop.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = loop.Process.Kill()
			_ = loop.Wait()
		})
	}
}
