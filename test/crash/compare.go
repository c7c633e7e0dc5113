package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// findings are what a comparison counted.
type findings struct{ acknowledged, unsure, objects, containers, ended int }

// settle is how long a cluster may take to come to rest after a round: back-off of a killed container included.
const settle = 60 * time.Second

// compare holds API, logs and /proc against each other.
func (t *trial) compare(ctx context.Context, h *hits) (f findings, err error) {
	for _, w := range t.writers {
		entries, err := w.log.unread()
		if err != nil {
			return f, err
		}
		done, open := t.ledger.replay(entries)
		f.acknowledged += done
		f.unsure += open
	}
	if err := eventually(ctx, settle, func() error { return t.compareObjects(ctx, &f) }); err != nil {
		return f, fmt.Errorf("API and logs disagree: %w", err)
	}
	if err := eventually(ctx, settle, func() error { return t.compareContainers(ctx, &f) }); err != nil {
		return f, fmt.Errorf("API and /proc disagree: %w", err)
	}
	return f, nil
}

var ours = regexp.MustCompile(`^w\d-\d+$`)

// stored reads every object of the writers: key to what was written into it.
func (t *trial) stored(ctx context.Context) (map[key]metav1.Object, error) {
	out := map[key]metav1.Object{}
	maps, err := t.client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range maps.Items {
		out[key{"ConfigMap", maps.Items[i].Name}] = &maps.Items[i]
	}
	pods, err := t.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		out[key{"Pod", pods.Items[i].Name}] = &pods.Items[i]
	}
	deployments, err := t.client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range deployments.Items {
		out[key{"Deployment", deployments.Items[i].Name}] = &deployments.Items[i]
	}
	for k := range out {
		if !ours.MatchString(k.Name) {
			delete(out, k)
		}
	}
	return out, nil
}

func (t *trial) compareObjects(ctx context.Context, f *findings) error {
	stored, err := t.stored(ctx)
	if err != nil {
		return err
	}
	for k, obj := range stored {
		if t.ledger[k] == nil {
			return fmt.Errorf("%s %s is there, but nobody wrote it", k.Kind, k.Name)
		}
		if value := obj.GetAnnotations()[written]; !t.ledger[k].values[value] {
			return fmt.Errorf("%s %s holds %q; the logs allow %v", k.Kind, k.Name, value, t.ledger[k].values)
		}
	}
	for k, state := range t.ledger {
		if obj := stored[k]; obj == nil && !state.values[""] {
			return fmt.Errorf("%s %s is lost; the logs say %v", k.Kind, k.Name, state.values)
		} else if obj != nil && state.uid != "" && obj.GetUID() != state.uid {
			return fmt.Errorf("%s %s is another object than the one that was acknowledged", k.Kind, k.Name)
		}
	}
	f.objects = len(stored)
	// What was unsure is decided now.
	for k, state := range t.ledger {
		if len(state.values) > 1 {
			value := ""
			if obj := stored[k]; obj != nil && obj.GetDeletionTimestamp() == nil {
				value = obj.GetAnnotations()[written]
			}
			state.values = map[string]bool{value: true}
		}
	}
	return nil
}

// compareContainers wants one running container, no more and no less, for each that the API says is running, and a code for each that ended.
func (t *trial) compareContainers(ctx context.Context, f *findings) error {
	pods, err := t.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	want := map[string]string{}
	f.ended = 0
	for i := range pods.Items {
		pod := &pods.Items[i]
		mortal := pod.Spec.RestartPolicy == corev1.RestartPolicyNever
		if len(pod.Status.ContainerStatuses) != len(pod.Spec.Containers) {
			return fmt.Errorf("pod %s has no container status yet", pod.Name)
		}
		for _, s := range pod.Status.ContainerStatuses {
			_, id, _ := strings.Cut(s.ContainerID, "://")
			switch {
			case s.State.Running != nil:
				want[id] = pod.Name
			case s.State.Terminated != nil && mortal:
				if err := judge(pod.Name, s.State.Terminated); err != nil {
					return err
				}
				if s.State.Terminated.ExitCode == codeOf(pod.Name) {
					f.ended++
				}
			default:
				return fmt.Errorf("pod %s waits: %+v", pod.Name, s.State)
			}
			if last := s.LastTerminationState.Terminated; last != nil && last.Reason == "" {
				return fmt.Errorf("pod %s does not say why it was restarted", pod.Name)
			}
		}
	}
	have, err := t.containers()
	if err != nil {
		return err
	}
	for id, pod := range want {
		if !slices.Contains(have, id) {
			return fmt.Errorf("pod %s is said to run, but its container %.12s does not", pod, id)
		}
	}
	for _, id := range have {
		if want[id] == "" {
			return fmt.Errorf("container %.12s runs, but no pod says so", id)
		}
	}
	f.containers = len(have)
	return nil
}

// judge accepts the code that a pod chose, or a kill with a stated reason.
func judge(pod string, end *corev1.ContainerStateTerminated) error {
	if end.ExitCode == codeOf(pod) || end.ExitCode != 0 && end.Reason != "" && end.Reason != "Error" {
		return nil
	}
	if end.ExitCode == 137 || end.ExitCode == 143 {
		return nil // stopped by a deletion under way
	}
	return fmt.Errorf("pod %s ended with %d (%s), not with its own code %d", pod, end.ExitCode, end.Reason, codeOf(pod))
}

var inPod = regexp.MustCompile(`/skiff/` + clusterName + `-[0-9a-f]+/.*/pod[0-9a-f-]+/([0-9a-f]{64})`)

// containers gives the ids of the cluster's containers that have a process, by the processes' cgroups.
func (t *trial) containers() ([]string, error) {
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		if m := inPod.FindSubmatch(data); m != nil && !slices.Contains(out, string(m[1])) {
			out = append(out, string(m[1]))
		}
	}
	return out, nil
}

// clear deletes what the writers made and waits until no container is left.
func (t *trial) clear(ctx context.Context) error {
	background := metav1.DeletePropagationBackground
	if err := t.client.AppsV1().Deployments(namespace).DeleteCollection(ctx, metav1.DeleteOptions{PropagationPolicy: &background}, metav1.ListOptions{}); err != nil {
		return fmt.Errorf("delete deployments: %w", err)
	}
	if err := t.client.CoreV1().Pods(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return fmt.Errorf("delete pods: %w", err)
	}
	return eventually(ctx, settle, func() error {
		left, err := t.containers()
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%d containers still run", len(left))
		}
		return err
	})
}
