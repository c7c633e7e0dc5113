package apiserver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
)

// target is where a connection leads: how to dial it, and the request that is sent there.
type target struct {
	dial func(ctx context.Context) (net.Conn, error)
	url  *url.URL
}

// connect joins a client to a node's agent, or to a pod or service, byte for byte.
func (s *Server) connect(q *request) error {
	if !slices.Contains(q.part.Verbs, connectVerb(q)) {
		return notAllowed()
	}
	if err := s.authorizeUpgrade(q); err != nil {
		return err
	}
	name := q.path.name
	if q.path.subresource == "proxy" {
		_, name, _ = splitProxyName(name)
	}
	item, err := s.store.Get(q.ctx, q.res.key(q.path.namespace, name))
	if err != nil {
		return q.res.storeError(err, name)
	}
	parent := item.Object.(api.Object)
	request := &admission.Request{
		Kind: q.res.Kind, Verb: admission.Connect, Subresource: q.path.subresource, Namespace: q.path.namespace, Name: name, User: q.user,
	}
	if err := admission.Admit(q.ctx, s.cfg.Admission, request); err != nil {
		return err
	}
	if err := admission.Validate(q.ctx, s.cfg.Admission, request); err != nil {
		return err
	}
	if q.path.subresource == "proxy" {
		to, err := s.proxyTarget(q, parent)
		if err != nil {
			return err
		}
		return s.join(q, to)
	}
	pod, ok := parent.(*corev1.Pod)
	if !ok {
		return notFoundPath()
	}
	to, err := s.podTarget(q, pod)
	if err != nil || to == nil {
		return err
	}
	switch {
	case q.path.subresource == "log":
		return s.streamLog(q, *to)
	case isTunnel(q.Request):
		return s.tunnel(q, *to)
	}
	return s.join(q, *to)
}

func connectVerb(q *request) string {
	switch q.path.verb {
	case "head", "options", "list", "watch":
		return "get"
	}
	return q.path.verb
}

// authorizeUpgrade asks more of a WebSocket, which must be a GET, than of reading: what it opens is as strong as a POST.
func (s *Server) authorizeUpgrade(q *request) error {
	if q.path.verb != "get" || !slices.Contains([]string{"exec", "attach", "portforward"}, q.path.subresource) {
		return nil
	}
	a := q.attributes()
	a.Verb = "create"
	return s.authorize(q, a)
}

// podTarget is the path of the pod's node's agent that serves the subresource; nil where the answer has been given.
func (s *Server) podTarget(q *request, pod *corev1.Pod) (*target, error) {
	container := ""
	if q.path.subresource != "portforward" {
		var err error
		if container, err = containerOf(pod, q.query.Get("container")); err != nil {
			return nil, err
		}
	}
	if pod.Spec.NodeName == "" {
		if q.path.subresource == "log" {
			// A pod that runs nowhere has said nothing yet.
			return nil, q.send(http.StatusOK, "text/plain", nil)
		}
		return nil, apierrors.NewBadRequest(fmt.Sprintf("pod %s does not have a host assigned", pod.Name))
	}
	u := &url.URL{RawQuery: kubeletQuery(q).Encode()}
	where := pod.Namespace + "/" + pod.Name
	switch q.path.subresource {
	case "log":
		u.Path = "/containerLogs/" + where + "/" + container
	case "portforward":
		u.Path = "/portForward/" + where
	default:
		u.Path = "/" + q.path.subresource + "/" + where + "/" + container
	}
	return &target{url: u, dial: s.kubelet(pod.Spec.NodeName)}, nil
}

// kubelet dials a node's agent.
func (s *Server) kubelet(node string) func(ctx context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		if s.cfg.KubeletDial == nil {
			return nil, fmt.Errorf("no way to the agent of node %s", node)
		}
		return s.cfg.KubeletDial(ctx, node)
	}
}

// kubeletQuery says the options in the agent's words.
func kubeletQuery(q *request) url.Values {
	out := url.Values{}
	words := map[string]string{"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
	for key, values := range q.query {
		word, flag := words[key]
		switch {
		case q.path.subresource == "log" || q.path.subresource == "portforward":
			if key != "container" || q.path.subresource == "portforward" {
				out[key] = values
			}
		case flag:
			if len(values) > 0 && values[0] != "false" && values[0] != "0" {
				out.Set(word, "1")
			}
		case key == "command":
			out[key] = values
		}
	}
	return out
}

// containerOf is the container that a request means.
func containerOf(pod *corev1.Pod, name string) (string, error) {
	if name != "" {
		if !hasContainer(pod, name) {
			return "", apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", name, pod.Name))
		}
		return name, nil
	}
	if len(pod.Spec.Containers) == 1 {
		return pod.Spec.Containers[0].Name, nil
	}
	text := fmt.Sprintf("a container name must be specified for pod %s, choose one of: [%s]", pod.Name, containerNames(pod.Spec.Containers))
	if len(pod.Spec.InitContainers) > 0 {
		text += fmt.Sprintf(" or one of the init containers: [%s]", containerNames(pod.Spec.InitContainers))
	}
	return "", apierrors.NewBadRequest(text)
}

func hasContainer(pod *corev1.Pod, name string) bool {
	is := func(c corev1.Container) bool { return c.Name == name }
	return slices.ContainsFunc(pod.Spec.Containers, is) || slices.ContainsFunc(pod.Spec.InitContainers, is) ||
		slices.ContainsFunc(pod.Spec.EphemeralContainers, func(c corev1.EphemeralContainer) bool { return c.Name == name })
}

func containerNames(containers []corev1.Container) string {
	names := make([]string, len(containers))
	for i, c := range containers {
		names[i] = c.Name
	}
	return strings.Join(names, " ")
}
