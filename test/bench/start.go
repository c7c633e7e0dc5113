package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// start measures new clusters and ones that were stopped. The first of all is not counted: it unpacks the programs.
func (b *bench) start(ctx context.Context) error {
	for i := range b.runs + 1 {
		for _, figure := range []string{"start-new", "start-old"} {
			r, err := b.m.Run(ctx, "skiff", "cluster", "start")
			if err != nil || r.Code != 0 {
				return fmt.Errorf("start: %w: %s", err, r.Stderr)
			}
			if i > 0 {
				b.addTime(figure, r.Took)
			}
			if _, err := b.m.Must(ctx, "skiff", "cluster", "stop"); err != nil {
				return err
			}
		}
		if err := b.end(ctx); err != nil {
			return err
		}
	}
	return nil
}

// deployment measures a command that finds no cluster, until its Deployment's pods exist.
func (b *bench) deployment(ctx context.Context) error {
	if _, err := b.begin(ctx); err != nil { // unpacks the programs
		return err
	}
	for range b.runs {
		if err := errors.Join(b.end(ctx), os.RemoveAll(filepath.Join(b.m.Home(), ".kube"))); err != nil {
			return err
		}
		done := make(chan error, 1)
		began := time.Now()
		go func() {
			_, err := b.m.Must(ctx, "kubectl", "create", "deployment", "web", "--image="+helloImage, "--replicas=5")
			done <- err
		}()
		client, err := b.client(ctx)
		if err != nil {
			return errors.Join(err, <-done)
		}
		if err := awaitPods(ctx, client, 5); err != nil {
			return errors.Join(err, <-done)
		}
		b.addTime("deployment", time.Since(began))
		if err := <-done; err != nil {
			return err
		}
	}
	return b.end(ctx)
}

// awaitPods waits until so many pods exist.
func awaitPods(ctx context.Context, client kubernetes.Interface, count int) error {
	return until(ctx, 30*time.Second, 2*time.Millisecond, func() (bool, error) {
		pods, err := client.CoreV1().Pods(metav1.NamespaceDefault).List(ctx, metav1.ListOptions{})
		return err == nil && len(pods.Items) >= count, nil // the server may not answer yet
	})
}
