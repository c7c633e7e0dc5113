package apiserver_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

func TestPagesAreOfOneRevision(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps := context.Background(), c.Client().CoreV1().ConfigMaps("default")
		var names, revisions []string
		var remaining []int64
		opts := metav1.ListOptions{Limit: 1}
		for {
			page, err := maps.List(ctx, opts)
			if err != nil {
				t.Fatal(err)
			}
			for _, cm := range page.Items {
				names = append(names, cm.Name+"="+cm.Data["k"])
			}
			revisions = append(revisions, page.ResourceVersion)
			if page.RemainingItemCount != nil {
				remaining = append(remaining, *page.RemainingItemCount)
			}
			if len(revisions) == 1 {
				c.Create(configMap("bb"))
				if _, err := maps.Update(ctx, configMap("c", "k", "late"), metav1.UpdateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if opts.Continue = page.Continue; opts.Continue == "" {
				break
			}
		}
		if got, want := fmt.Sprint(names), "[a= b= c=]"; got != want {
			t.Errorf("pages hold %s, want %s", got, want)
		}
		if got, want := fmt.Sprint(remaining), "[2 1]"; got != want {
			t.Errorf("remaining %s, want %s", got, want)
		}
		if len(revisions) != 3 || revisions[0] != revisions[1] || revisions[1] != revisions[2] {
			t.Errorf("three requests at one revision were at %v", revisions)
		}
	}, configMap("a"), configMap("b"), configMap("c"))
}

func TestExpiredContinue(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps := context.Background(), c.Client().CoreV1().ConfigMaps("default")
		page, err := maps.List(ctx, metav1.ListOptions{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		c.Create(configMap("c"))
		if err := c.Store.Compact(ctx, c.Store.Revision()); err != nil {
			t.Fatal(err)
		}
		_, err = maps.List(ctx, metav1.ListOptions{Limit: 1, Continue: page.Continue})
		if !apierrors.IsResourceExpired(err) {
			t.Fatalf("list with an old token: %v", err)
		}
		token := err.(*apierrors.StatusError).ErrStatus.Continue
		rest, err := maps.List(ctx, metav1.ListOptions{Continue: token})
		if err != nil || len(rest.Items) != 2 || rest.Items[0].Name != "b" {
			t.Errorf("going on at the latest revision: %v, %v", rest, err)
		}
	}, configMap("a"), configMap("b"))
}

func TestSelectors(t *testing.T) {
	one, two := pod("one"), pod("two")
	one.Labels, two.Labels = map[string]string{"app": "x", "tier": "front"}, map[string]string{"app": "y"}
	two.Spec.NodeName = "n1"
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		for _, tt := range []struct{ labels, fields, want string }{
			{"", "", "[one two]"},
			{"app=x", "", "[one]"},
			{"app in (x,y),tier", "", "[one]"},
			{"!tier", "", "[two]"},
			{"", "metadata.name=two", "[two]"},
			{"", "metadata.name!=two", "[one]"},
			{"", "spec.nodeName=n1", "[two]"},
			{"", "spec.nodeName=", "[one]"},
			{"", "status.phase=Pending,spec.nodeName!=n1", "[one]"},
			{"app=x", "spec.nodeName=n1", "[]"},
		} {
			list, err := c.Client().CoreV1().Pods("").List(context.Background(), metav1.ListOptions{LabelSelector: tt.labels, FieldSelector: tt.fields})
			if err != nil {
				t.Errorf("%q %q: %v", tt.labels, tt.fields, err)
				continue
			}
			if got := names(list.Items); got != tt.want {
				t.Errorf("%q %q selects %s, want %s", tt.labels, tt.fields, got, tt.want)
			}
		}
	}, one, two)
}

func names(pods []corev1.Pod) string {
	out := []string{}
	for _, p := range pods {
		out = append(out, p.Name)
	}
	return fmt.Sprint(out)
}
