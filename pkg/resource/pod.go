package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubeskiff/skiff/pkg/api"
)

// PodArg makes a Query of an argument that is a pod's name, or TYPE/NAME of what has pods.
func PodArg(arg string) Query {
	if strings.Contains(arg, "/") {
		return Query{Args: []string{arg}}
	}
	return Query{Args: []string{"pods", arg}}
}

// PodOf gives the pod that stands for an object: the object itself if it is a pod, else the one of its pods that fares best. It
// waits until there is one, as long as timeout allows.
func (c *Client) PodOf(ctx context.Context, o *Object, timeout time.Duration) (*corev1.Pod, error) {
	typed, k, err := o.Typed()
	if err != nil {
		return nil, err
	}
	if pod, ok := typed.(*corev1.Pod); ok {
		return pod, nil
	}
	selector, err := podSelector(typed, k)
	if err != nil {
		return nil, fmt.Errorf("cannot attach to %T: %v", typed, err)
	}
	pods, err := c.PodsOf(ctx, o.Namespace, selector, timeout, func(a, b *corev1.Pod) int { return compareActive(b, a) })
	if err != nil {
		return nil, err
	}
	return &pods[0], nil
}

// PodsForLogs lists the pods of an object, the one first whose log one most likely wants.
func (c *Client) PodsForLogs(ctx context.Context, o *Object, timeout time.Duration) ([]corev1.Pod, error) {
	typed, k, err := o.Typed()
	if err != nil {
		return nil, err
	}
	if pod, ok := typed.(*corev1.Pod); ok {
		return []corev1.Pod{*pod}, nil
	}
	selector, err := podSelector(typed, k)
	if err != nil {
		return nil, fmt.Errorf("cannot get the logs from %T: %v", typed, err)
	}
	return c.PodsOf(ctx, o.Namespace, selector, timeout, compareForLogs)
}

func podSelector(typed api.Object, k *api.Kind) (labels.Selector, error) {
	if k.PodSelector == nil {
		return nil, fmt.Errorf("selector for %T not implemented", typed)
	}
	return k.PodSelector(typed)
}

// PodsOf lists the pods that a selector matches, sorted; if there are none it waits for the first.
func (c *Client) PodsOf(ctx context.Context, namespace string, s labels.Selector, timeout time.Duration, compare func(a, b *corev1.Pod) int) ([]corev1.Pod, error) {
	opts := metav1.ListOptions{LabelSelector: s.String()}
	var list corev1.PodList
	if err := c.List(ctx, namespace, opts, &list); err != nil {
		return nil, err
	}
	if len(list.Items) > 0 {
		slices.SortStableFunc(list.Items, func(a, b corev1.Pod) int { return compare(&a, &b) })
		return list.Items, nil
	}
	m, err := c.typed(ctx, &corev1.Pod{}, "")
	if err != nil {
		return nil, err
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	opts.ResourceVersion = list.ResourceVersion
	for e, err := range c.Watch(ctx, Target{Mapping: m, Namespace: namespace}, opts, "") {
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			return nil, err
		}
		if e.Type != "ADDED" && e.Type != "MODIFIED" {
			continue
		}
		var pod corev1.Pod
		if err := unmarshal(e.Object, &pod); err != nil {
			return nil, err
		}
		return []corev1.Pod{pod}, nil
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, errors.New("timed out waiting for the condition")
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, errors.New("watch closed before UntilWithoutRetry timeout")
}
