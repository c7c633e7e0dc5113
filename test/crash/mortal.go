package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// mortal is a pod that ends with a code of its own when it is signalled: one on each node, for the moments without an agent.
type mortal struct {
	name  string
	uid   types.UID
	node  int
	code  int
	ended bool
}

const mortalPrefix = "mortal-"

func isMortalName(name string) bool { return strings.HasPrefix(name, mortalPrefix) }

// makeMortals starts this round's.
func (t *trial) makeMortals(ctx context.Context, round int) error {
	t.mortals = nil
	for node := 1; node <= 2; node++ {
		m := mortal{name: fmt.Sprintf("%s%d-%d", mortalPrefix, round, node), node: node, code: 20 + t.random.IntN(80)}
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: m.name}, Spec: sleeper()}
		pod.Spec.NodeName, pod.Spec.RestartPolicy = clusterName+"-"+strconv.Itoa(node), corev1.RestartPolicyNever
		pod.Spec.Containers[0].Command = []string{"sh", "-c", fmt.Sprintf("trap 'exit %d' USR1; trap 'exit 0' TERM; while :; do sleep 0.1; done", m.code)}
		made, err := t.client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("make pod %s: %w", m.name, err)
		}
		m.uid = made.UID
		t.mortals = append(t.mortals, m)
	}
	return eventually(ctx, time.Minute, func() error {
		for _, m := range t.mortals {
			pod, err := t.client.CoreV1().Pods(namespace).Get(ctx, m.name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if pod.Status.Phase != corev1.PodRunning {
				return fmt.Errorf("pod %s is %s", m.name, pod.Status.Phase)
			}
		}
		return nil
	})
}

// isMortal says whether a shim is that of a mortal.
func (t *trial) isMortal(shim int, all []process) bool {
	for _, p := range all {
		for _, m := range t.mortals {
			if p.parent == shim && p.pod == m.uid {
				return true
			}
		}
	}
	return false
}

// endMortals ends those whose agent is dead, and waits until they are gone.
func (t *trial) endMortals(ctx context.Context, h *hits) error {
	for i := range t.mortals {
		m := &t.mortals[i]
		if m.node == 1 && h.servers == 0 || m.node == 2 && h.agents == 0 {
			continue
		}
		m.ended = true
		h.ended++
		err := eventually(ctx, 10*time.Second, func() error {
			all, err := t.processes()
			if err != nil {
				return err
			}
			first := 0
			for _, p := range all {
				if p.pod == m.uid && (first == 0 || p.pid < first) && len(p.args) > 1 && p.args[0] == "sh" {
					first = p.pid
				}
			}
			if first == 0 {
				return nil
			}
			if err := unix.Kill(first, unix.SIGUSR1); err != nil && err != unix.ESRCH {
				return fmt.Errorf("signal pod %s: %w", m.name, err)
			}
			return fmt.Errorf("pod %s does not end", m.name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reviewMortals checks that those that ended say so with their code, and that the others still run.
func (t *trial) reviewMortals(pods map[types.UID]*corev1.Pod) error {
	for _, m := range t.mortals {
		pod := pods[m.uid]
		if pod == nil {
			return fmt.Errorf("lost: pod %s", m.name)
		}
		if len(pod.Status.ContainerStatuses) != 1 {
			return fmt.Errorf("pod %s has no container status", m.name)
		}
		state := pod.Status.ContainerStatuses[0].State
		switch {
		case m.ended && (state.Terminated == nil || int(state.Terminated.ExitCode) != m.code):
			return fmt.Errorf("pod %s ended with %d while its agent was dead, and reports %+v", m.name, m.code, state)
		case !m.ended && state.Running == nil:
			return fmt.Errorf("pod %s runs, and reports %+v", m.name, state)
		}
	}
	return nil
}

// dropMortals deletes them.
func (t *trial) dropMortals(ctx context.Context) error {
	for _, m := range t.mortals {
		err := t.client.CoreV1().Pods(namespace).Delete(ctx, m.name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(1))})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete pod %s: %w", m.name, err)
		}
	}
	t.mortals = nil
	return nil
}
