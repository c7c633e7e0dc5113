package run

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// attach waits for the pod to run, joins it, and gives its exit code if it ends for good.
func (o *Options) attach(ctx context.Context, namespace string, pod *corev1.Pod, made []api.Object) (err error) {
	client, err := o.Client()
	if err != nil {
		return err
	}
	if o.Remove {
		defer func() {
			// Also after Ctrl-C, which has ended ctx.
			if rmErr := o.remove(context.WithoutCancel(ctx), client, namespace, made); err == nil {
				err = rmErr
			}
		}()
	}
	if o.AttachTo == nil {
		return errors.New("this build cannot attach to containers")
	}
	obj := &resource.Object{Mapping: mapping("pods", "Pod"), Namespace: namespace, Name: pod.Name}
	if err := o.await(ctx, client, obj, started); err != nil {
		return err
	}
	if phase(obj.Unstructured) == "Pending" || phase(obj.Unstructured) == "Running" {
		if err := o.AttachTo(ctx, cli.Attachment{Namespace: namespace, Pod: pod.Name, Container: pod.Spec.Containers[0].Name, Stdin: o.Stdin, TTY: o.TTY, Quiet: o.Quiet, DetachKeys: o.DetachKeys}); err != nil {
			return err
		}
	} else if err := o.log(ctx, client, namespace, pod); err != nil {
		return err
	}
	if o.LeaveStdinOpen || o.Restart == "Always" || o.Restart == "" {
		return nil
	}
	if err := o.await(ctx, client, obj, func(u *unstructured.Unstructured) (bool, error) {
		p := phase(u)
		return p == "Succeeded" || p == "Failed" && o.Restart == "Never", nil
	}); err != nil {
		return err
	}
	return o.exitCode(obj)
}

func mapping(name, kind string) *resource.Mapping {
	return &resource.Mapping{GVR: corev1.SchemeGroupVersion.WithResource(name), GVK: corev1.SchemeGroupVersion.WithKind(kind), Namespaced: true}
}

func phase(u *unstructured.Unstructured) string {
	p, _, _ := unstructured.NestedString(u.Object, "status", "phase")
	return p
}

// started holds when the pod runs or has ended.
func started(u *unstructured.Unstructured) (bool, error) {
	p := phase(u)
	return p == "Running" || p == "Succeeded" || p == "Failed", nil
}

func (o *Options) await(ctx context.Context, client *resource.Client, obj *resource.Object, met resource.Condition) error {
	ctx, cancel := context.WithTimeout(ctx, o.PodTimeout)
	defer cancel()
	return client.WaitFor(ctx, obj, met)
}

// log shows what a container wrote that had ended before one could attach.
func (o *Options) log(ctx context.Context, client *resource.Client, namespace string, pod *corev1.Pod) error {
	body, err := client.GetRaw(ctx, "/api/v1/namespaces/"+namespace+"/pods/"+pod.Name+"/log?container="+pod.Spec.Containers[0].Name)
	if err != nil {
		return err
	}
	_, err = o.IO.Out.Write(body)
	return err
}

// exitCode ends the program as the pod's container ended, which it says in kubectl's words: without "error: ".
func (o *Options) exitCode(obj *resource.Object) error {
	var pod corev1.Pod
	if err := obj.Into(&pod); err != nil {
		return err
	}
	if pod.Status.Phase == corev1.PodSucceeded {
		return nil
	}
	for _, s := range pod.Status.ContainerStatuses {
		if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
			fmt.Fprintln(o.IO.ErrOut, strings.TrimSuffix(fmt.Sprintf("pod %s/%s terminated (%s)\n%s", pod.Namespace, pod.Name, t.Reason, t.Message), "\n"))
			return &cli.ExitError{Code: int(t.ExitCode)}
		}
	}
	return fmt.Errorf("pod %s/%s failed with unknown exit code", pod.Namespace, pod.Name)
}

func (o *Options) remove(ctx context.Context, client *resource.Client, namespace string, made []api.Object) error {
	for _, obj := range made {
		m := mapping("pods", "Pod")
		if obj.GetObjectKind().GroupVersionKind().Kind == "Service" {
			m = mapping("services", "Service")
		}
		target := &resource.Object{Mapping: m, Namespace: namespace, Name: obj.GetName()}
		policy := metav1.DeletePropagationBackground
		if _, err := client.Delete(ctx, target, &metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
			if apierrors.IsNotFound(err) {
				continue
			}
			return err
		}
		if !o.Quiet {
			fmt.Fprintf(o.IO.Out, "%s %q deleted from %s namespace\n", m.KindName("")[:len(m.KindName(""))-1], obj.GetName(), namespace)
		}
	}
	return nil
}
