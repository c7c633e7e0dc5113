package apiserver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"

	"testing/synctest"
)

// agent is a node's agent that writes down what it is asked and echoes what it is told.
type agent struct {
	listener *apiserver.PipeListener
	asked    chan string
}

func (a *agent) dial(ctx context.Context, node string) (net.Conn, error) {
	return a.listener.Dial(ctx, auth.User{Name: node})
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked <- r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Authorization")
	switch {
	case strings.Contains(r.URL.Path, "/waiting/"):
		http.Error(w, `container "app" in pod "waiting" is waiting to start: ContainerCreating`, http.StatusBadRequest)
	case r.Header.Get("Upgrade") != "":
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
		io.Copy(conn, buffered)
	default:
		fmt.Fprint(w, "line one\nline two\n")
	}
}

func withAgent(t *testing.T, f func(c *clustertest.Cluster, a *agent), objs ...api.Object) {
	synctest.Test(t, func(t *testing.T) {
		a := &agent{listener: apiserver.NewPipeListener(), asked: make(chan string, 10)}
		server := &http.Server{Handler: a}
		served := make(chan struct{})
		go func() {
			_ = server.Serve(a.listener)
			close(served)
		}()
		t.Cleanup(func() {
			server.Close()
			<-served
		})
		f(clustertest.With(t, func(c *apiserver.Config) { c.KubeletDial = a.dial }, objs...), a)
	})
}

func placed(name string) *corev1.Pod {
	p := pod(name)
	p.Spec.NodeName = "n1"
	return p
}

func TestLogs(t *testing.T) {
	withAgent(t, func(c *clustertest.Cluster, a *agent) {
		r := newRaw(t, c)
		got := r.do(http.MethodGet, "/api/v1/namespaces/default/pods/a/log?tailLines=2&container=app", "", "Authorization", "Bearer secret")
		if got.code != http.StatusOK || got.body != "line one\nline two\n" || got.header.Get("Content-Type") != "text/plain" {
			t.Errorf("log: %d %q", got.code, got.body)
		}
		if asked := <-a.asked; asked != "GET /containerLogs/default/a/app?tailLines=2 " {
			t.Errorf("the agent was asked %q", asked)
		}
		got = r.do(http.MethodGet, "/api/v1/namespaces/default/pods/waiting/log", "")
		status := decode[metav1.Status](t, got.body)
		if got.code != http.StatusBadRequest || !strings.Contains(status.Message, "is waiting to start: ContainerCreating") {
			t.Errorf("log of a waiting pod: %d %s", got.code, got.body)
		}
		if got := r.do(http.MethodGet, "/api/v1/namespaces/default/pods/free/log", ""); got.code != http.StatusOK || got.body != "" {
			t.Errorf("log of a pod without a node: %d %q", got.code, got.body)
		}
		got = r.do(http.MethodGet, "/api/v1/namespaces/default/pods/a/log?container=no", "")
		if status := decode[metav1.Status](t, got.body); got.code != 400 || status.Message != "container no is not valid for pod a" {
			t.Errorf("log of no container: %s", got.body)
		}
		got = r.do(http.MethodPost, "/api/v1/namespaces/default/pods/free/exec?command=ls", "")
		if status := decode[metav1.Status](t, got.body); got.code != 400 || status.Message != "pod free does not have a host assigned" {
			t.Errorf("exec without a node: %s", got.body)
		}
	}, placed("a"), placed("waiting"), pod("free"))
}

func TestExecIsJoined(t *testing.T) {
	withAgent(t, func(c *clustertest.Cluster, a *agent) {
		r := newRaw(t, c)
		resp := r.open(http.MethodPost, "/api/v1/namespaces/default/pods/a/exec?command=sh&command=-c&stdin=true&stdout=1&stderr=false&tty=true", "",
			"Connection", "Upgrade", "Upgrade", "SPDY/3.1")
		if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Upgrade") != "SPDY/3.1" {
			t.Fatalf("exec: %s", resp.Status)
		}
		if asked := <-a.asked; asked != "POST /exec/default/a/app?command=sh&command=-c&input=1&output=1&tty=1 " {
			t.Errorf("the agent was asked %q", asked)
		}
		both := resp.Body.(io.ReadWriteCloser)
		defer both.Close()
		fmt.Fprint(both, "hello\n")
		if line, err := bufio.NewReader(both).ReadString('\n'); line != "hello\n" {
			t.Errorf("echo: %q, %v", line, err)
		}
	}, placed("a"))
}

func TestPortForwardLeavesItsTunnel(t *testing.T) {
	withAgent(t, func(c *clustertest.Cluster, a *agent) {
		dialer := websocket.Dialer{
			Subprotocols: []string{"SPDY/3.1+portforward.k8s.io"},
			NetDialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return c.Config(auth.Admin()).Dial(ctx, "", "")
			},
		}
		conn, resp, err := dialer.Dial("ws://skiff/api/v1/namespaces/default/pods/a/portforward", nil)
		if err != nil {
			t.Fatalf("%v: %v", err, resp)
		}
		defer conn.Close()
		if conn.Subprotocol() != "SPDY/3.1+portforward.k8s.io" {
			t.Errorf("subprotocol %q", conn.Subprotocol())
		}
		if asked := <-a.asked; asked != "GET /portForward/default/a " {
			t.Errorf("the agent was asked %q", asked)
		}
		if err := conn.WriteMessage(websocket.BinaryMessage, []byte("frames")); err != nil {
			t.Fatal(err)
		}
		kind, data, err := conn.ReadMessage()
		if kind != websocket.BinaryMessage || string(data) != "frames" {
			t.Errorf("echo: %d %q %v", kind, data, err)
		}
	}, placed("a"))
}

func TestNodeProxy(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	withAgent(t, func(c *clustertest.Cluster, a *agent) {
		got := newRaw(t, c).do(http.MethodGet, "/api/v1/nodes/n1/proxy/pods/x//y?z=1", "")
		if got.code != http.StatusOK || got.body != "line one\nline two\n" {
			t.Errorf("proxy: %d %q", got.code, got.body)
		}
		if asked := <-a.asked; asked != "GET /pods/x//y?z=1 " {
			t.Errorf("the agent was asked %q", asked)
		}
	}, node)
}
