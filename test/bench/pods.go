package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"
)

// pods measures pods of an image that is there, and the commands that look at them.
func (b *bench) pods(ctx context.Context) error {
	client, err := b.begin(ctx)
	if err != nil {
		return err
	}
	if err := b.pullImages(ctx); err != nil {
		return err
	}
	for i := range b.runs {
		if err := b.onePod(ctx, client, "one-"+strconv.Itoa(i)); err != nil {
			return fmt.Errorf("run a pod: %w", err)
		}
	}
	if err := b.exec(ctx); err != nil {
		return err
	}
	if err := b.manyPods(ctx, client); err != nil {
		return fmt.Errorf("run 30 pods: %w", err)
	}
	return b.end(ctx)
}

// pullImages runs a pod of each image once; that of redis stays.
func (b *bench) pullImages(ctx context.Context) error {
	for name, image := range map[string]string{"redis": "redis:5.0.4", "hello": helloImage} {
		if _, err := b.m.Must(ctx, "kubectl", "run", name, "--image="+image, "--image-pull-policy=IfNotPresent"); err != nil {
			return err
		}
		if _, err := b.m.Must(ctx, "kubectl", "wait", "--for=condition=Ready", "pod/"+name); err != nil {
			return err
		}
	}
	_, err := b.m.Must(ctx, "kubectl", "delete", "pod", "hello", "--now")
	return err
}

// onePod runs a pod: how long until the API says Running, and until the shim read the first line of the program itself.
func (b *bench) onePod(ctx context.Context, client kubernetes.Interface, name string) error {
	pods := client.CoreV1().Pods(metav1.NamespaceDefault)
	watch, err := pods.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		return err
	}
	defer watch.Stop()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{
		Containers: []corev1.Container{{Name: "hello", Image: helloImage, ImagePullPolicy: corev1.PullIfNotPresent}},
	}}
	began := time.Now()
	if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return err
	}
	running := false
	for e := range watch.ResultChan() {
		if p, ok := e.Object.(*corev1.Pod); ok && p.Status.Phase == corev1.PodRunning {
			running = true
			break
		}
	}
	if !running {
		return errors.New("the watch ended before the pod ran")
	}
	b.addTime("pod-running", time.Since(began))
	first, err := b.firstLine(ctx, name)
	if err != nil {
		return err
	}
	b.addTime("pod-log", first.Sub(began))
	_, err = b.m.Must(ctx, "kubectl", "delete", "pod", name, "--now")
	return err
}

// firstLine is when a pod wrote its first line.
func (b *bench) firstLine(ctx context.Context, pod string) (at time.Time, err error) {
	err = until(ctx, 10*time.Second, 5*time.Millisecond, func() (bool, error) {
		logs, err := b.m.Must(ctx, "kubectl", "logs", pod, "--timestamps")
		if err != nil || logs == "" {
			return false, err
		}
		stamp, _, _ := strings.Cut(logs, " ")
		at, err = time.Parse(time.RFC3339Nano, stamp)
		return true, err
	})
	return at, err
}

// exec measures a command in the redis pod, from the launch of kubectl until its first byte comes out.
func (b *bench) exec(ctx context.Context) error {
	for range b.runs {
		cmd := b.m.Command(ctx, "kubectl", "exec", "redis", "--", "redis-cli", "--version")
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		began := time.Now()
		if err := cmd.Start(); err != nil {
			return err
		}
		_, err = out.Read(make([]byte, 1))
		b.addTime("exec", time.Since(began))
		if err := errors.Join(err, cmd.Wait()); err != nil {
			return fmt.Errorf("exec: %w", err)
		}
	}
	return nil
}

// manyPods scales a Deployment from nothing to 30; while they run, the client lists them.
func (b *bench) manyPods(ctx context.Context, client kubernetes.Interface) error {
	if _, err := b.m.Must(ctx, "kubectl", "create", "deployment", "many", "--image="+helloImage, "--replicas=0"); err != nil {
		return err
	}
	for i := range b.runs {
		began := time.Now()
		if err := scale(ctx, client, 30); err != nil {
			return err
		}
		if err := until(ctx, time.Minute, 10*time.Millisecond, func() (bool, error) { return b.runningPods(ctx, client, 30) }); err != nil {
			return err
		}
		b.addTime("pods-30", time.Since(began))
		if i == b.runs-1 && b.wants("get-pods", "get-pods-ratio") {
			if err := b.compare(ctx, "get-pods", "get", "pods"); err != nil {
				return err
			}
		}
		if err := scale(ctx, client, 0); err != nil {
			return err
		}
		if err := until(ctx, time.Minute, 50*time.Millisecond, func() (bool, error) {
			list, err := client.CoreV1().Pods(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{LabelSelector: "app=many"})
			return err == nil && len(list.Items) == 0, err
		}); err != nil {
			return fmt.Errorf("remove them: %w", err)
		}
	}
	return nil
}

func scale(ctx context.Context, client kubernetes.Interface, replicas int32) error {
	deployments := client.AppsV1().Deployments(metav1.NamespaceDefault)
	// The controller writes the status meanwhile.
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		s, err := deployments.GetScale(ctx, "many", metav1.GetOptions{})
		if err != nil {
			return err
		}
		s.Spec.Replicas = replicas
		_, err = deployments.UpdateScale(ctx, "many", s, metav1.UpdateOptions{})
		return err
	})
}

func (b *bench) runningPods(ctx context.Context, client kubernetes.Interface, count int) (bool, error) {
	list, err := client.CoreV1().Pods(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{LabelSelector: "app=many", FieldSelector: "status.phase=Running"})
	return err == nil && len(list.Items) >= count, err
}
