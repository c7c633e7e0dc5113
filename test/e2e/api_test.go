package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
)

// client is an ordinary client of the default cluster, which it starts.
func client(t *testing.T) kubernetes.Interface {
	t.Helper()
	must(t, "skiff cluster start")
	t.Cleanup(func() { theMachine.Run(context.Background(), "skiff", "cluster", "delete") })
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(theMachine.Cluster("skiff"), "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func settings(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"set": "a"}}, Data: map[string]string{"k": value}}
}

// TestListsAndWatches: pages of one object are three requests at one revision, whatever is written in between; a watch from each
// revision gives what came after it, once and in order.
func TestListsAndWatches(t *testing.T) {
	maps := client(t).CoreV1().ConfigMaps("default")
	for _, name := range []string{"a", "b", "c"} {
		if _, err := maps.Create(t.Context(), settings(name, "1"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	opts, pages := metav1.ListOptions{Limit: 1, LabelSelector: "set=a"}, ""
	for {
		page, err := maps.List(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, cm := range page.Items {
			pages += fmt.Sprintf("%s=%s@%s ", cm.Name, cm.Data["k"], page.ResourceVersion)
		}
		if opts.Continue == "" {
			first := page.ResourceVersion
			t.Cleanup(func() {
				if want := fmt.Sprintf("a=1@%[1]s b=1@%[1]s c=1@%[1]s ", first); pages != want {
					t.Errorf("pages: got %s, want %s", pages, want)
				}
			})
			watchAll(t, maps, first)
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			return
		}
	}
}

// watchAll writes, and watches from before each of its writes.
func watchAll(t *testing.T, maps typedcorev1.ConfigMapInterface, start string) {
	t.Helper()
	revisions, events := []string{start}, []string{}
	for i := range 20 {
		cm, err := maps.Update(t.Context(), settings(string("abc"[i%3]), "later "+strconv.Itoa(i)), metav1.UpdateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		revisions, events = append(revisions, cm.ResourceVersion), append(events, cm.Name+"@"+cm.ResourceVersion)
	}
	for i, from := range revisions[:len(events)] {
		if got, want := watched(t, maps, from, len(events)-i), strings.Join(events[i:], " "); got != want {
			t.Errorf("watch from %s: got %s, want %s", from, got, want)
		}
	}
}

// watched reads so many events, and tells one too many.
func watched(t *testing.T, maps typedcorev1.ConfigMapInterface, from string, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	w, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: from, LabelSelector: "set=a"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	var got []string
	for e := range w.ResultChan() {
		cm, ok := e.Object.(*corev1.ConfigMap)
		if !ok {
			return fmt.Sprintf("%s %v", e.Type, e.Object)
		}
		if got = append(got, cm.Name+"@"+cm.ResourceVersion); len(got) == n {
			break
		}
	}
	select {
	case e := <-w.ResultChan():
		return fmt.Sprintf("one more: %v", e)
	case <-time.After(20 * time.Millisecond): // nothing more has been written, so nothing may come
	}
	return strings.Join(got, " ")
}

// TestTwoAppliers: the second of two managers is refused in the real server's words; forced, it takes the field over; a field that
// its manager leaves out is gone. The managed fields are those of the real server.
func TestTwoAppliers(t *testing.T) {
	maps := client(t).CoreV1().ConfigMaps("default")
	apply := func(manager, body string, force bool) (*corev1.ConfigMap, error) {
		return maps.Patch(t.Context(), "shared", types.ApplyYAMLPatchType, []byte(body), metav1.PatchOptions{FieldManager: manager, Force: &force})
	}
	const head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared}\n"
	if _, err := apply("one", head+"data: {a: '1', b: '2'}", false); err != nil {
		t.Fatal(err)
	}
	const refused = `Apply failed with 1 conflict: conflict with "one": .data.a`
	if _, err := apply("two", head+"data: {a: '9'}", false); err == nil || err.Error() != refused {
		t.Errorf("got %v, want %s", err, refused)
	}
	if _, err := apply("two", head+"data: {a: '9'}", true); err != nil {
		t.Fatal(err)
	}
	cm, err := apply("one", head+"data: {c: '3'}", false)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(cm.Data), "map[a:9 c:3]"; got != want {
		t.Errorf("data: got %s, want %s", got, want)
	}
	var managers []string
	for _, m := range cm.ManagedFields {
		managers = append(managers, fmt.Sprintf("%s %s %s %s", m.Manager, m.Operation, m.APIVersion, m.FieldsV1.Raw))
	}
	slices.Sort(managers) // they come in order of their times, which are whole seconds
	const fields = `one Apply v1 {"f:data":{"f:c":{}}}` + "\n" + `two Apply v1 {"f:data":{"f:a":{}}}`
	if got, want := strings.Join(managers, "\n"), fields; got != want {
		t.Errorf("managed fields:\n got %s\nwant %s", got, want)
	}
}

const clock = `
apiVersion: v1
kind: Pod
metadata: {name: clock}
spec:
  restartPolicy: Never
  containers: [{name: c, image: "busybox:1.36", imagePullPolicy: IfNotPresent, command: [cat, /proc/uptime]}]
`

// TestRunningIsTrue holds what the API says of a container against the container's own first line: when it ran by its own clock, it
// had been asked for, and it was not said to have ended before.
func TestRunningIsTrue(t *testing.T) {
	pods := client(t).CoreV1().Pods("default")
	write(t, "clock.yaml", clock)
	w, err := pods.Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=clock"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	asked := uptime(t, must(t, "cat /proc/uptime"))
	must(t, "kubectl apply -f clock.yaml")
	for e := range w.ResultChan() {
		if pod, ok := e.Object.(*corev1.Pod); ok && pod.Status.Phase == corev1.PodSucceeded {
			break
		}
	}
	ended := uptime(t, must(t, "cat /proc/uptime"))
	if ran := uptime(t, must(t, "kubectl logs clock")); ran < asked || ran > ended {
		t.Errorf("the container ran %.2f s after the start of the machine, between %.2f and %.2f it was asked for and had ended", ran, asked, ended)
	}
}

func uptime(t *testing.T, line string) float64 {
	t.Helper()
	var seconds float64
	if _, err := fmt.Sscan(line, &seconds); err != nil {
		t.Fatalf("read the time in %q: %v", line, err)
	}
	return seconds
}
