package kubelet

import (
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	stats "k8s.io/kubelet/pkg/apis/stats/v1alpha1"
)

// summary answers with what the kernel counts for each running container.
func (s *server) summary(w http.ResponseWriter, r *http.Request) {
	now := metav1.NewTime(time.Now())
	out := stats.Summary{Node: stats.NodeStats{NodeName: s.k.config.NodeName, StartTime: now}, Pods: []stats.PodStats{}}
	s.k.mu.Lock()
	workers := make([]*worker, 0, len(s.k.workers))
	for _, worker := range s.k.workers {
		workers = append(workers, worker)
	}
	s.k.mu.Unlock()
	for _, worker := range workers {
		pod, status := worker.latest(), worker.status.current()
		ps := stats.PodStats{PodRef: stats.PodReference{Name: pod.Name, Namespace: pod.Namespace, UID: string(pod.UID)}, StartTime: now}
		if status.StartTime != nil {
			ps.StartTime = *status.StartTime
		}
		for _, list := range [][]corev1.ContainerStatus{status.InitContainerStatuses, status.ContainerStatuses} {
			for i := range list {
				if c, ok := s.containerStats(r, &list[i]); ok {
					ps.Containers = append(ps.Containers, c)
				}
			}
		}
		out.Pods = append(out.Pods, ps)
	}
	writeJSON(w, out)
}

func (s *server) containerStats(r *http.Request, c *corev1.ContainerStatus) (stats.ContainerStats, bool) {
	if c.State.Running == nil {
		return stats.ContainerStats{}, false
	}
	got, err := s.k.config.Runtime.Stats(r.Context(), c.ContainerID[len(s.k.scheme):])
	if err != nil {
		return stats.ContainerStats{}, false
	}
	at := metav1.NewTime(got.Time)
	return stats.ContainerStats{
		Name: c.Name, StartTime: c.State.Running.StartedAt,
		CPU:    &stats.CPUStats{Time: at, UsageCoreNanoSeconds: &got.CPUNanos},
		Memory: &stats.MemoryStats{Time: at, WorkingSetBytes: &got.MemoryBytes, RSSBytes: &got.RSSBytes},
		Rootfs: &stats.FsStats{Time: at, UsedBytes: &got.WrittenBytes},
	}, true
}
