package kubelet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	utilexec "k8s.io/utils/exec"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
)

func TestLogsOverHTTP(t *testing.T) {
	onBed(t, map[string]hollow.Behaviour{"app": {Ends: true, After: 30 * time.Second, Log: []string{"one", "two"}}}, func(b *bed) {
		pod := simplePod("web", "app")
		b.create(pod)
		b.until("web", "running", running)
		if w := b.serve("/containerLogs/default/web/app?tailLines=1"); w.Code != 200 || w.Body.String() != "two\n" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		if w := b.serve("/containerLogs/default/web/app?previous=true"); w.Code != 400 || w.Body.String() != "previous terminated container \"app\" in pod \"web\" not found\n" {
			t.Errorf("previous before a restart: %d %q", w.Code, w.Body)
		}
		b.until("web", "restarted", func(p *corev1.Pod) bool {
			return p.Status.ContainerStatuses[0].RestartCount == 1 && p.Status.ContainerStatuses[0].State.Running != nil
		})
		if w := b.serve("/containerLogs/default/web/app?previous=true"); w.Code != 200 || w.Body.String() != "one\ntwo\n" {
			t.Errorf("previous: %d %q", w.Code, w.Body)
		}
		b.until("web", "waiting", func(p *corev1.Pod) bool { return p.Status.ContainerStatuses[0].State.Waiting != nil })
		for _, path := range []string{"/containerLogs/default/web/app", "/containerLogs/default/web/app?previous=true"} {
			if w := b.serve(path); w.Code != 200 || w.Body.String() != "one\ntwo\n" {
				t.Errorf("%s while it waits: %d %q", path, w.Code, w.Body)
			}
		}
		for path, want := range map[string]string{
			"/containerLogs/default/none/app": "404 pod \"none\" does not exist\n",
			"/containerLogs/default/web/none": "404 container \"none\" not found in pod \"web\"\n",
			"/healthz":                        "200 ok",
		} {
			if w := b.serve(path); fmt.Sprintf("%d %s", w.Code, w.Body) != want {
				t.Errorf("%s: %d %q, want %q", path, w.Code, w.Body, want)
			}
		}
		var pods corev1.PodList
		if err := json.Unmarshal(b.serve("/pods").Body.Bytes(), &pods); err != nil || len(pods.Items) != 1 || pods.Items[0].Name != "web" {
			t.Errorf("pods: %v, %v", pods.Items, err)
		}
	})
}

func TestImagesOverHTTP(t *testing.T) {
	withHollow(t, hollow.Config{NoCache: true}, func(b *bed) {
		w := httptest.NewRecorder()
		b.k.Handler().ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), "POST", "/images/pull?image=redis:5", nil))
		var last PullProgress
		for s := bufio.NewScanner(w.Body); s.Scan(); {
			if err := json.Unmarshal(s.Bytes(), &last); err != nil {
				t.Fatal(err)
			}
		}
		if last.Image == nil || last.Image.RepoTags[0] != "redis:5" {
			t.Errorf("last line of the pull: %+v", last)
		}
		if got := b.serve("/images").Body.String(); !strings.Contains(got, `"redis:5"`) {
			t.Errorf("images: %s", got)
		}
		for _, want := range []int{http.StatusNoContent, http.StatusNotFound} {
			w := httptest.NewRecorder()
			b.k.Handler().ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), "DELETE", "/images?image=redis:5", nil))
			if w.Code != want {
				t.Errorf("remove: %d %s, want %d", w.Code, w.Body, want)
			}
		}
	})
}

// live is an agent on real time with a server on loopback, and a pod that answers.
func live(t *testing.T, does hollow.Behaviour) (base *url.URL) {
	t.Helper()
	c := clustertest.New(t)
	r := hollow.New(hollow.Config{Behave: func(container.ContainerConfig) hollow.Behaviour { return does }})
	k, err := New(Config{NodeName: "node-1", Client: c.Client(), Runtime: r, Images: r.Images(), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	k.volumes = newVolumesForTest(k)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- k.Run(ctx) }()
	server := httptest.NewServer(k.Handler())
	t.Cleanup(func() { server.Close(); cancel(); <-done })
	if _, err := c.Client().CoreV1().Pods("default").Create(ctx, simplePod("web", "app"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.Wait("the pod runs", func() bool {
		p, err := c.Client().CoreV1().Pods("default").Get(ctx, "web", metav1.GetOptions{})
		return err == nil && running(p)
	})
	base, err = url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return base
}

func TestExecOverSockets(t *testing.T) {
	base := live(t, hollow.Behaviour{Exec: func(_ context.Context, e container.ExecConfig) (int, error) {
		in := []byte{}
		if e.Stdin != nil {
			in, _ = io.ReadAll(e.Stdin)
		}
		fmt.Fprintf(e.Stdout, "%s got %s", strings.Join(e.Args, " "), in)
		if e.Stderr != nil {
			fmt.Fprint(e.Stderr, "warned")
		}
		return len(e.Args) - 1, nil
	}})
	makers := map[string]func(*url.URL) (remotecommand.Executor, error){
		"websocket": func(u *url.URL) (remotecommand.Executor, error) {
			return remotecommand.NewWebSocketExecutor(&rest.Config{Host: u.Host}, "GET", u.String())
		},
		"spdy": func(u *url.URL) (remotecommand.Executor, error) {
			return remotecommand.NewSPDYExecutor(&rest.Config{Host: u.Host}, "POST", u)
		},
	}
	for name, make := range makers {
		for args, code := range map[string]int{"command=run": 0, "command=run&command=a&command=b": 2} {
			u := *base
			u.Path, u.RawQuery = "/exec/default/web/app", args+"&input=1&output=1&error=1"
			e, err := make(&u)
			if err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			err = e.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdin: strings.NewReader("words"), Stdout: &out, Stderr: &errs})
			got := 0
			if exit, ok := err.(utilexec.ExitError); ok {
				got = exit.ExitStatus()
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got != code || !strings.HasSuffix(out.String(), " got words") || errs.String() != "warned" {
				t.Errorf("%s %s: code %d, out %q, err %q", name, args, got, &out, &errs)
			}
		}
	}
}

func TestPortForwardOverSockets(t *testing.T) {
	base := live(t, hollow.Behaviour{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello "+r.URL.Path) })})
	u := *base
	u.Path = "/portForward/default/web"
	transport, upgrader, err := spdy.RoundTripperFor(&rest.Config{Host: u.Host})
	if err != nil {
		t.Fatal(err)
	}
	stop, up := make(chan struct{}), make(chan struct{})
	f, err := portforward.New(spdy.NewDialer(upgrader, &http.Client{Transport: transport}, "POST", &u), []string{"0:80"}, stop, up, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- f.ForwardPorts() }()
	<-up
	ports, err := f.GetPorts()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/there", ports[0].Local))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "hello /there" {
		t.Errorf("got %q", body)
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
