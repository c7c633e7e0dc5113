package kubelet

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// server is the agent's HTTP API, on the real agent's paths; /images is our own.
type server struct{ k *Kubelet }

func newServer(k *Kubelet) http.Handler {
	s := &server{k: k}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	mux.HandleFunc("GET /pods", s.pods)
	mux.HandleFunc("GET /stats/summary", s.summary)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", s.logs)
	for _, method := range []string{"GET ", "POST "} {
		mux.HandleFunc(method+"/exec/{namespace}/{pod}/{container}", s.exec)
		mux.HandleFunc(method+"/exec/{namespace}/{pod}/{uid}/{container}", s.exec)
		mux.HandleFunc(method+"/attach/{namespace}/{pod}/{container}", s.attach)
		mux.HandleFunc(method+"/attach/{namespace}/{pod}/{uid}/{container}", s.attach)
		mux.HandleFunc(method+"/portForward/{namespace}/{pod}", s.portForward)
		mux.HandleFunc(method+"/portForward/{namespace}/{pod}/{uid}", s.portForward)
	}
	mux.HandleFunc("GET /images", s.images)
	mux.HandleFunc("POST /images/pull", s.pullImage)
	mux.HandleFunc("POST /images/load", s.loadImages)
	mux.HandleFunc("DELETE /images", s.removeImage)
	return mux
}

func (s *server) pods(w http.ResponseWriter, _ *http.Request) {
	list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: []corev1.Pod{}}
	s.k.mu.Lock()
	workers := make([]*worker, 0, len(s.k.workers))
	for _, w := range s.k.workers {
		workers = append(workers, w)
	}
	s.k.mu.Unlock()
	for _, w := range workers {
		pod := w.latest().DeepCopy()
		pod.Status = w.status.current()
		list.Items = append(list.Items, *pod)
	}
	slices.SortFunc(list.Items, func(a, b corev1.Pod) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	writeJSON(w, list)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// pod finds the pod and the container that a path names; it has answered when ok is false.
func (s *server) pod(w http.ResponseWriter, r *http.Request) (found *worker, pod *corev1.Pod, ok bool) {
	found = s.k.workerByName(r.PathValue("namespace"), r.PathValue("pod"))
	if found == nil || r.PathValue("uid") != "" && string(found.latest().UID) != r.PathValue("uid") {
		http.Error(w, fmt.Sprintf("pod %q does not exist", r.PathValue("pod")), http.StatusNotFound)
		return nil, nil, false
	}
	return found, found.latest(), true
}

func (s *server) logs(w http.ResponseWriter, r *http.Request) {
	worker, pod, ok := s.pod(w, r)
	if !ok {
		return
	}
	name := r.PathValue("container")
	if findContainer(pod, name) == nil {
		http.Error(w, fmt.Sprintf("container %q not found in pod %q", name, pod.Name), http.StatusNotFound)
		return
	}
	q := r.URL.Query()
	o, err := parseLogOptions(q, time.Now())
	if err != nil {
		http.Error(w, `{"message": "Unable to decode query."}`, http.StatusBadRequest)
		return
	}
	out := &flushWriter{w: w}
	stdout, stderr := io.Writer(out), io.Writer(out)
	switch q.Get("stream") {
	case "", corev1.LogStreamAll:
	case corev1.LogStreamStdout:
		stderr = nil
	case corev1.LogStreamStderr:
		stdout = nil
	default:
		http.Error(w, fmt.Sprintf("invalid stream type %q", q.Get("stream")), http.StatusBadRequest)
		return
	}
	previous, follow := isTrue(q.Get("previous")), isTrue(q.Get("follow"))
	path, id, err := worker.logPath(name, previous)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	out.flush()
	if s.k.config.Weightless {
		return // such pods write no logs
	}
	if follow && !previous {
		err = followLog(r.Context(), s.k.logs, path, o, stdout, stderr, func() bool { return s.ended(r, id) })
	} else {
		err = readLog(path, o, stdout, stderr)
	}
	if err != nil && r.Context().Err() == nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func (s *server) ended(r *http.Request, id string) bool {
	c, err := s.k.config.Runtime.ContainerStatus(r.Context(), id)
	return err != nil || c.State == container.Exited
}

// logPath finds the log of a container as its status has it, or says why there is none, in the real agent's words.
func (w *worker) logPath(name string, previous bool) (path, id string, err error) {
	pod := w.latest()
	status := w.status.current()
	var s *corev1.ContainerStatus
	for _, list := range [][]corev1.ContainerStatus{status.ContainerStatuses, status.InitContainerStatuses, status.EphemeralContainerStatuses} {
		for i := range list {
			if list[i].Name == name {
				s = &list[i]
			}
		}
	}
	if s == nil {
		return "", "", fmt.Errorf("container %q in pod %q is not available", name, pod.Name)
	}
	last := s.LastTerminationState.Terminated
	attempt := int(s.RestartCount)
	switch {
	case previous:
		if last == nil || last.ContainerID == "" {
			return "", "", fmt.Errorf("previous terminated container %q in pod %q not found", name, pod.Name)
		}
		id = last.ContainerID
		if s.State.Waiting == nil {
			attempt--
		}
	case s.State.Running != nil:
		id = s.ContainerID
	case s.State.Terminated != nil && s.State.Terminated.ContainerID != "":
		id = s.State.Terminated.ContainerID
	case last != nil && last.ContainerID != "":
		id = last.ContainerID
	case s.State.Waiting != nil:
		switch reason := s.State.Waiting.Reason; reason {
		case errImagePull:
			return "", "", fmt.Errorf("container %q in pod %q is waiting to start: image can't be pulled", name, pod.Name)
		case imagePullBackOff:
			return "", "", fmt.Errorf("container %q in pod %q is waiting to start: trying and failing to pull image", name, pod.Name)
		default:
			return "", "", fmt.Errorf("container %q in pod %q is waiting to start: %v", name, pod.Name, reason)
		}
	default:
		return "", "", fmt.Errorf("container %q in pod %q is terminated", name, pod.Name)
	}
	_, id, _ = strings.Cut(id, "://")
	path = w.k.logDir(pod) + "/" + name + "/" + strconv.Itoa(max(attempt, 0)) + ".log"
	return path, id, nil
}

func isTrue(s string) bool {
	b, err := strconv.ParseBool(s)
	return err == nil && b
}

// parseLogOptions reads the fields of PodLogOptions.
func parseLogOptions(q url.Values, now time.Time) (o logOptions, err error) {
	o.timestamps = isTrue(q.Get("timestamps"))
	number := func(name string, least int64) *int64 {
		text := q.Get(name)
		if text == "" || err != nil {
			return nil
		}
		n, e := strconv.ParseInt(text, 10, 64)
		if e != nil || n < least {
			err = fmt.Errorf("invalid %s %q", name, text)
			return nil
		}
		return &n
	}
	if q.Get("tailLines") != "all" {
		o.tail = number("tailLines", 0)
	}
	o.limit = number("limitBytes", 1)
	if seconds := number("sinceSeconds", 1); seconds != nil {
		o.since = now.Add(-time.Duration(*seconds) * time.Second)
	}
	if text := q.Get("sinceTime"); text != "" && err == nil {
		o.since, err = time.Parse(time.RFC3339, text)
	}
	return o, err
}

// flushWriter sends each write on at once.
type flushWriter struct{ w http.ResponseWriter }

func (f *flushWriter) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	f.flush()
	return n, err
}

func (f *flushWriter) flush() {
	if fl, ok := f.w.(http.Flusher); ok {
		fl.Flush()
	}
}
