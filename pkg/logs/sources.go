package logs

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/resource"
)

// source is one container's log.
type source struct{ namespace, pod, container string }

// sources finds the logs that were asked for.
func (o *Options) sources(ctx context.Context, client *resource.Client) ([]source, error) {
	pods, err := o.pods(ctx, client)
	if err != nil {
		return nil, err
	}
	var out []source
	for i := range pods {
		list, err := o.containers(&pods[i])
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

func (o *Options) pods(ctx context.Context, client *resource.Client) ([]corev1.Pod, error) {
	if o.Target == "" {
		return o.selected(ctx, client)
	}
	q := resource.PodArg(o.Target)
	q.SingleType = true
	if o.Selector != "" {
		q.LabelSelector = o.Selector
	}
	obj, err := client.Single(ctx, q)
	if err != nil {
		return nil, notFound(err, client.Namespace)
	}
	pods, err := client.PodsForLogs(ctx, obj, o.PodTimeout)
	if err != nil || len(pods) == 1 || o.AllPods {
		return pods, err
	}
	fmt.Fprintf(o.IO.ErrOut, "Found %d pods, using pod/%s\n", len(pods), pods[0].Name)
	return pods[:1], nil
}

func (o *Options) selected(ctx context.Context, client *resource.Client) ([]corev1.Pod, error) {
	objects, errs := client.All(ctx, resource.Query{Args: []string{"pods"}, LabelSelector: o.Selector})
	if len(errs) > 0 {
		return nil, notFound(errs[0], client.Namespace)
	}
	pods := make([]corev1.Pod, len(objects))
	for i, obj := range objects {
		if err := obj.Into(&pods[i]); err != nil {
			return nil, err
		}
	}
	if len(pods) == 0 {
		fmt.Fprintf(o.IO.ErrOut, "No resources found in %s namespace.\n", client.Namespace)
	}
	return pods, nil
}

// containers chooses among a pod's containers: all of them in the order they start, the named one, or the one that is meant.
func (o *Options) containers(pod *corev1.Pod) ([]source, error) {
	at := func(name string) source { return source{pod.Namespace, pod.Name, name} }
	if o.AllContainers {
		var out []source
		for _, c := range pod.Spec.InitContainers {
			out = append(out, at(c.Name))
		}
		for _, c := range pod.Spec.Containers {
			out = append(out, at(c.Name))
		}
		for _, c := range pod.Spec.EphemeralContainers {
			out = append(out, at(c.Name))
		}
		return out, nil
	}
	name := o.Container
	if preset := pod.Annotations[resource.DefaultContainer]; name == "" && preset != "" {
		if c, _ := resource.FindContainer(pod, preset); c == nil {
			fmt.Fprintf(o.IO.ErrOut, "Default container name %q not found in pod %s\n", preset, pod.Name)
		} else {
			name = preset
		}
	}
	if name == "" {
		name = pod.Spec.Containers[0].Name
		if len(pod.Spec.Containers)+len(pod.Spec.InitContainers)+len(pod.Spec.EphemeralContainers) > 1 && !o.AllPods {
			fmt.Fprintf(o.IO.ErrOut, "Defaulted container %q out of: %s\n", name, resource.ContainerNames(pod))
		}
	}
	if c, _ := resource.FindContainer(pod, name); c == nil {
		return nil, resource.NoContainer(pod, name)
	}
	return []source{at(name)}, nil
}
