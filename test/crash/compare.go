package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// findings are what a comparison went over.
type findings struct{ acknowledged, unsure, objects, containers int }

// picture is what the API says at one time.
type picture struct {
	configMaps  []corev1.ConfigMap
	pods        []corev1.Pod
	byUID       map[types.UID]*corev1.Pod
	deployments []appsv1.Deployment
}

func (t *trial) picture(ctx context.Context) (*picture, error) {
	maps, err := t.client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	deployments, err := t.client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	pods, err := t.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	p := &picture{configMaps: maps.Items, pods: pods.Items, deployments: deployments.Items, byUID: map[types.UID]*corev1.Pod{}}
	for i := range p.pods {
		p.byUID[p.pods[i].UID] = &p.pods[i]
	}
	return p, nil
}

// compare waits until the cluster has come to rest, and finds API, logs and /proc in agreement, or says where they are not.
func (t *trial) compare(ctx context.Context, h *hits) (f findings, err error) {
	for _, w := range t.writers {
		entries, err := w.log.unread()
		if err != nil {
			return f, err
		}
		sure, not, err := t.ledger.replay(entries)
		if err != nil {
			return f, err
		}
		f.acknowledged, f.unsure = f.acknowledged+sure, f.unsure+not
	}
	var p *picture
	err = eventually(ctx, 90*time.Second, func() error {
		if p, err = t.picture(ctx); err != nil {
			return err
		}
		f.objects, f.containers = len(p.configMaps)+len(p.pods)+len(p.deployments), 0
		return t.agree(p, h, &f)
	})
	if err != nil {
		return f, err
	}
	t.ledger.decide(p.writable())
	return f, t.dropMortals(ctx)
}

func (t *trial) agree(p *picture, h *hits, f *findings) error {
	if err := t.compareLogs(p); err != nil {
		return err
	}
	if err := t.reviewMortals(p.byUID); err != nil {
		return err
	}
	for i := range p.pods {
		if err := settled(&p.pods[i], h); err != nil {
			return err
		}
	}
	if err := compareDeployments(p); err != nil {
		return err
	}
	for uid, ids := range h.containers {
		if err := mourned(ids, p.byUID[uid]); err != nil {
			return err
		}
	}
	running, err := t.compareProcesses(p)
	if err != nil {
		return err
	}
	f.containers = running
	return t.compareFiles(p)
}

// writable are the objects that only a writer can have made.
func (p *picture) writable() map[key]object {
	found := map[key]object{}
	for i := range p.configMaps {
		if c := &p.configMaps[i]; c.Name != "kube-root-ca.crt" {
			found[key{"ConfigMap", c.Name}] = c
		}
	}
	for i := range p.pods {
		if pod := &p.pods[i]; metav1.GetControllerOf(pod) == nil && !isMortalName(pod.Name) {
			found[key{"Pod", pod.Name}] = pod
		}
	}
	for i := range p.deployments {
		found[key{"Deployment", p.deployments[i].Name}] = &p.deployments[i]
	}
	return found
}

// compareLogs holds every object against what the writers' logs allow it to be.
func (t *trial) compareLogs(p *picture) error {
	for i := range p.configMaps {
		if c := &p.configMaps[i]; c.Data["value"] != c.Annotations[written] {
			return fmt.Errorf("torn: ConfigMap %s holds %q and %q", c.Name, c.Data["value"], c.Annotations[written])
		}
	}
	found := p.writable()
	for k, obj := range found {
		state := t.ledger[k]
		value := obj.GetAnnotations()[written]
		switch {
		case state == nil || value == "" || !state.values[value]:
			return fmt.Errorf("never written, or overwritten: %s %s holds %q, the logs say %+v", k.Kind, k.Name, value, state)
		case state.uid != "" && state.uid != obj.GetUID():
			return fmt.Errorf("%s %s has UID %s, acknowledged was %s", k.Kind, k.Name, obj.GetUID(), state.uid)
		case state.rv != "" && k.Kind == "ConfigMap" && state.rv != obj.GetResourceVersion():
			return fmt.Errorf("%s %s is at %s, acknowledged was %s", k.Kind, k.Name, obj.GetResourceVersion(), state.rv)
		}
	}
	for k, state := range t.ledger {
		if found[k] == nil && !state.values[""] {
			return fmt.Errorf("lost: %s %s, the logs say %+v", k.Kind, k.Name, state)
		}
	}
	return nil
}

// compareProcesses holds the containers that the API calls running against those that run.
func (t *trial) compareProcesses(p *picture) (int, error) {
	all, err := t.processes()
	if err != nil {
		return 0, err
	}
	running, err := containers(all)
	if err != nil {
		return 0, err
	}
	count := len(running)
	for _, pod := range p.pods {
		for _, c := range pod.Status.ContainerStatuses {
			if c.State.Running == nil {
				continue
			}
			_, id, _ := strings.Cut(c.ContainerID, "://")
			if _, is := running[id]; !is {
				return 0, fmt.Errorf("container lost: pod %s says that %s runs, /proc does not", pod.Name, c.ContainerID)
			}
			delete(running, id)
		}
	}
	for id, process := range running {
		name := "a pod that does not exist"
		if pod := p.byUID[process.pod]; pod != nil {
			name = "pod " + pod.Name
		}
		return 0, fmt.Errorf("container too many: %s runs (process %d), of %s, which does not say so", id, process.pid, name)
	}
	return count, nil
}

// compareFiles finds mounts and sandboxes of pods that are gone.
func (t *trial) compareFiles(p *picture) error {
	sandboxes, err := filepath.Glob(filepath.Join(t.m.Cluster(clusterName), "nodes", "*", "containers", "sandboxes", "*"))
	if err != nil {
		return err
	}
	for _, dir := range sandboxes {
		if name := filepath.Base(dir); len(name) < 36 || p.byUID[types.UID(name[:36])] == nil {
			return fmt.Errorf("left behind: %s", dir)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("look for mounts: %w", err)
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if _, rest, is := strings.Cut(fields[4], "/kubelet/pods/"); is && strings.HasPrefix(fields[4], t.m.Dir) {
			if uid, _, _ := strings.Cut(rest, "/"); p.byUID[types.UID(uid)] == nil {
				return fmt.Errorf("left behind: mount %s", fields[4])
			}
		}
	}
	return nil
}

// clear deletes all that the writers made, and finds nothing of it left.
func (t *trial) clear(ctx context.Context) error {
	if _, err := t.m.Must(ctx, "kubectl", "delete", "deployments,pods,configmaps", "--all", "--wait=false"); err != nil {
		return err
	}
	return eventually(ctx, time.Minute, func() error {
		p, err := t.picture(ctx)
		if err != nil {
			return err
		}
		if len(p.pods)+len(p.deployments) > 0 {
			return fmt.Errorf("left behind: %d pods, %d deployments", len(p.pods), len(p.deployments))
		}
		if _, err := t.compareProcesses(p); err != nil {
			return err
		}
		return t.compareFiles(p)
	})
}
