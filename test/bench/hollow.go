package main

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const hollowPods = 3000

// hollow measures many pods on nodes that only pretend to run them.
func (b *bench) hollow(ctx context.Context) error {
	runs := b.runs
	if b.short {
		runs = 1
	}
	for range runs {
		client, err := b.begin(ctx, "--runtime=hollow", "--nodes=100")
		if err != nil {
			return err
		}
		if err := b.crowd(ctx, client); err != nil {
			return fmt.Errorf("run %d pods: %w", hollowPods, err)
		}
		if err := b.end(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) crowd(ctx context.Context, client kubernetes.Interface) error {
	before, err := b.footprint()
	if err != nil {
		return err
	}
	labels := map[string]string{"app": "crowd"}
	replicas := int32(hollowPods)
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "crowd"}, Spec: appsv1.DeploymentSpec{
		Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "hello", Image: helloImage}},
		}},
	}}
	deployments := client.AppsV1().Deployments(metav1.NamespaceDefault)
	began := time.Now()
	if _, err := deployments.Create(ctx, deployment, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := until(ctx, 2*time.Minute, 100*time.Millisecond, func() (bool, error) { return scheduled(ctx, client) }); err != nil {
		return err
	}
	b.add("hollow-scheduled", time.Since(began).Seconds())
	if err := until(ctx, 2*time.Minute, 100*time.Millisecond, func() (bool, error) {
		d, err := deployments.Get(ctx, "crowd", metav1.GetOptions{})
		return err == nil && d.Status.AvailableReplicas == hollowPods, err
	}); err != nil {
		return err
	}
	b.add("hollow-running", time.Since(began).Seconds())
	after, err := b.footprint()
	if err != nil {
		return err
	}
	b.add("hollow-cpu", (after.cpu - before.cpu).Seconds())
	b.add("hollow-memory", after.peak/1e6)
	return nil
}

// scheduled says whether all pods exist and none is without a node.
func scheduled(ctx context.Context, client kubernetes.Interface) (bool, error) {
	sets, err := client.AppsV1().ReplicaSets(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{})
	if err != nil || len(sets.Items) == 0 || sets.Items[0].Status.Replicas < hollowPods {
		return false, err
	}
	list, err := client.CoreV1().Pods(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=", Limit: 1})
	return err == nil && len(list.Items) == 0, err
}
