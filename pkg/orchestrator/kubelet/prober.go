package kubelet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// prober carries out probes through the runtime: its network and its exec.
type prober struct {
	runtime   container.Runtime
	transport *http.Transport
}

// outcome is what a probe found. err means that it could not be made.
type outcome struct {
	ok, warning bool
	text        string
	err         error
}

func newProber(r container.Runtime) *prober {
	p := &prober{runtime: r}
	p.transport = &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return r.Dial(ctx, "", network, address)
		},
		// A probe asks whether something answers, not who.
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives:  true,
		DisableCompression: true,
	}
	return p
}

func (p *prober) probe(ctx context.Context, spec *corev1.Probe, t target) outcome {
	timeout := time.Duration(max(spec.TimeoutSeconds, 1)) * time.Second
	switch {
	case spec.Exec != nil:
		return p.exec(ctx, spec.Exec, t, timeout)
	case spec.HTTPGet != nil:
		return p.http(ctx, spec.HTTPGet, t, timeout)
	case spec.TCPSocket != nil:
		return p.tcp(ctx, spec.TCPSocket, t, timeout)
	case spec.GRPC != nil:
		return p.grpc(ctx, spec.GRPC, t, timeout)
	}
	return outcome{err: fmt.Errorf("missing probe handler for %s:%s", podRef(t.pod), t.c.Name)}
}

func (p *prober) exec(ctx context.Context, a *corev1.ExecAction, t target, timeout time.Duration) outcome {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var out limitedBuffer
	args := expandAll(a.Command, func(name string) (string, bool) {
		for _, e := range t.c.Env {
			if e.Name == name && e.ValueFrom == nil {
				return e.Value, true
			}
		}
		return "", false
	})
	code, err := p.runtime.Exec(limited, t.id, container.ExecConfig{Args: args, Streams: container.Streams{Stdout: &out, Stderr: &out}})
	switch {
	case limited.Err() != nil && ctx.Err() == nil:
		return outcome{text: fmt.Sprintf("command timed out: %q timed out after %s", joinArgs(args), timeout)}
	case err != nil:
		return outcome{err: err}
	}
	return outcome{ok: code == 0, text: out.String()}
}

func (p *prober) http(ctx context.Context, a *corev1.HTTPGetAction, t target, timeout time.Duration) outcome {
	req, err := newProbeRequest(ctx, a, t.c, t.ip, "probe")
	if err != nil {
		return outcome{err: err}
	}
	client := &http.Client{Transport: p.transport, Timeout: timeout, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if next.URL.Hostname() != via[0].URL.Hostname() {
			return http.ErrUseLastResponse
		}
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}}
	resp, err := client.Do(req)
	if err != nil {
		return outcome{text: err.Error()}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 10<<10))
	switch {
	case err != nil:
		return outcome{text: err.Error()}
	case resp.StatusCode < 200 || resp.StatusCode >= 400:
		return outcome{text: fmt.Sprintf("HTTP probe failed with statuscode: %d", resp.StatusCode)}
	case resp.StatusCode >= 300:
		return outcome{ok: true, warning: true, text: fmt.Sprintf("Probe terminated redirects, Response body: %v", string(body))}
	}
	return outcome{ok: true, text: string(body)}
}

// newProbeRequest makes the request of an httpGet action.
func newProbeRequest(ctx context.Context, a *corev1.HTTPGetAction, c *corev1.Container, podIP, purpose string) (*http.Request, error) {
	port, err := portOf(a.Port, c)
	if err != nil {
		return nil, err
	}
	host := a.Host
	if host == "" {
		host = podIP
	}
	u, err := url.Parse(a.Path)
	if err != nil {
		u = &url.URL{Path: a.Path}
	}
	u.Scheme, u.Host = strings.ToLower(string(a.Scheme)), hostPort(host, port)
	if u.Scheme == "" {
		u.Scheme = "http"
	}
	if !strings.HasPrefix(u.Path, "/") {
		u.Path = "/" + u.Path
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	for _, h := range a.HTTPHeaders {
		req.Header.Add(h.Name, h.Value)
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header.Set("User-Agent", "kube-"+purpose+"/1.37")
	}
	if _, ok := req.Header["Accept"]; !ok {
		req.Header.Set("Accept", "*/*")
	} else if req.Header.Get("Accept") == "" {
		req.Header.Del("Accept")
	}
	if h := req.Header.Get("Host"); h != "" {
		req.Host = h
	}
	return req, nil
}

// portOf resolves a port by number or by name.
func portOf(p intstr.IntOrString, c *corev1.Container) (int, error) {
	port := p.IntValue()
	if p.Type == intstr.String {
		for _, cp := range c.Ports {
			if cp.Name == p.StrVal {
				port = int(cp.ContainerPort)
			}
		}
		if port == 0 {
			return 0, fmt.Errorf("couldn't find port: %v in container: %s", p.StrVal, c.Name)
		}
	}
	if port < 1 || port > 65535 {
		return 0, fmt.Errorf("invalid port number: %v", port)
	}
	return port, nil
}

func (p *prober) tcp(ctx context.Context, a *corev1.TCPSocketAction, t target, timeout time.Duration) outcome {
	port, err := portOf(a.Port, t.c)
	if err != nil {
		return outcome{err: err}
	}
	host := a.Host
	if host == "" {
		host = t.ip
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := p.runtime.Dial(ctx, "", "tcp", hostPort(host, port))
	if err != nil {
		return outcome{text: err.Error()}
	}
	conn.Close()
	return outcome{ok: true}
}

func (p *prober) grpc(ctx context.Context, a *corev1.GRPCAction, t target, timeout time.Duration) outcome {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	service := ""
	if a.Service != nil {
		service = *a.Service
	}
	addr := hostPort(t.ip, int(a.Port))
	raw, err := p.runtime.Dial(limited, "", "tcp", addr)
	if err != nil {
		if limited.Err() != nil {
			return outcome{text: fmt.Sprintf("timeout: failed to connect service %q within %v: %+v", addr, timeout, err)}
		}
		return outcome{text: fmt.Sprintf("error: failed to connect service at %q: %+v", addr, err)}
	}
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithUserAgent("kube-probe/1.37"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return raw, nil }))
	if err != nil {
		raw.Close()
		return outcome{text: fmt.Sprintf("error: failed to connect service at %q: %+v", addr, err)}
	}
	defer conn.Close()
	reply, err := healthv1.NewHealthClient(conn).Check(metadata.NewOutgoingContext(limited, nil), &healthv1.HealthCheckRequest{Service: service})
	switch {
	case err == nil && reply.GetStatus() == healthv1.HealthCheckResponse_SERVING:
		return outcome{ok: true, text: "service healthy"}
	case err == nil:
		return outcome{text: fmt.Sprintf("service unhealthy (responded with %q)", reply.GetStatus().String())}
	case status.Code(err) == codes.Unimplemented:
		return outcome{text: "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): " + status.Convert(err).Message()}
	case status.Code(err) == codes.DeadlineExceeded:
		return outcome{text: fmt.Sprintf("timeout: health rpc did not complete within %v", timeout)}
	}
	return outcome{text: fmt.Sprintf("error: health rpc probe failed: %+v", err)}
}
