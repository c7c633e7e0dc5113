package kubelet

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// runHook runs a postStart or preStop hook; the message is for the container's state.
func (k *Kubelet) runHook(ctx context.Context, pod *corev1.Pod, c *corev1.Container, id string, podIPs []string, h *corev1.LifecycleHandler) (string, error) {
	switch {
	case h.Exec != nil:
		var out limitedBuffer
		code, err := k.config.Runtime.Exec(ctx, id, container.ExecConfig{Args: h.Exec.Command, Streams: container.Streams{Stdout: &out, Stderr: &out}})
		if err == nil && code != 0 {
			err = fmt.Errorf("command '%s' exited with %d: %s", joinArgs(h.Exec.Command), code, out.String())
		}
		if err != nil {
			return fmt.Sprintf("Exec lifecycle hook (%v) for Container %q in Pod %q failed - error: %v, message: %q", h.Exec.Command, c.Name, podRef(pod), err, out.String()), err
		}
	case h.HTTPGet != nil:
		if err := k.httpHook(ctx, c, podIPs, h.HTTPGet); err != nil {
			return fmt.Sprintf("HTTP lifecycle hook (%s) for Container %q in Pod %q failed - error: %v", h.HTTPGet.Path, c.Name, podRef(pod), err), err
		}
	case h.Sleep != nil:
		if !sleep(ctx, time.Duration(h.Sleep.Seconds)*time.Second) {
			err := fmt.Errorf("container terminated before sleep hook finished")
			return fmt.Sprintf("Sleep lifecycle hook (%d) for Container %q in Pod %q failed - error: %v", h.Sleep.Seconds, c.Name, podRef(pod), err), err
		}
	default:
		err := fmt.Errorf("invalid handler: %v", h)
		return fmt.Sprintf("Cannot run handler: %v", err), err
	}
	return "", nil
}

func (k *Kubelet) httpHook(ctx context.Context, c *corev1.Container, podIPs []string, a *corev1.HTTPGetAction) error {
	ip := ""
	if len(podIPs) > 0 {
		ip = podIPs[0]
	}
	req, err := newProbeRequest(ctx, a, c, ip, "lifecycle")
	if err != nil {
		return err
	}
	client := &http.Client{Transport: k.probes.transport}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode >= 400 {
		return fmt.Errorf("HTTP lifecycle hook failed with statuscode: %d", resp.StatusCode)
	}
	return nil
}

// limitedBuffer keeps the first 10 KiB that are written to it.
type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if room := 10<<10 - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func joinArgs(args []string) string {
	var b bytes.Buffer
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(a)
	}
	return b.String()
}

func hostPort(host string, port int) string { return net.JoinHostPort(host, fmt.Sprint(port)) }
