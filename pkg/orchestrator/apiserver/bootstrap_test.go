package apiserver_test

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

// TestWhatEveryClusterHasComesBack deletes the kubernetes Service and a system namespace; both are there again, as they were.
func TestWhatEveryClusterHasComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.With(t, func(config *apiserver.Config) { config.Endpoint = netip.MustParseAddrPort("10.65.0.2:6443") })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Server.KeepBootstrapped(ctx) }()
		services := c.Client().CoreV1().Services("default")
		before, err := services.Get(ctx, "kubernetes", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			services.Delete(ctx, "kubernetes", metav1.DeleteOptions{}),
			c.Client().CoreV1().Endpoints("default").Delete(ctx, "kubernetes", metav1.DeleteOptions{}),
			c.Client().DiscoveryV1().EndpointSlices("default").Delete(ctx, "kubernetes", metav1.DeleteOptions{}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		c.Pass(11 * time.Second)
		after, err := services.Get(ctx, "kubernetes", metav1.GetOptions{})
		if err != nil || after.Spec.ClusterIP != before.Spec.ClusterIP || after.UID == before.UID {
			t.Errorf("service: %v, %v, want another one with %s", after, err, before.Spec.ClusterIP)
		}
		endpoints, err := c.Client().CoreV1().Endpoints("default").Get(ctx, "kubernetes", metav1.GetOptions{})
		if err != nil || len(endpoints.Subsets) != 1 || endpoints.Subsets[0].Addresses[0] != (corev1.EndpointAddress{IP: "10.65.0.2"}) {
			t.Errorf("endpoints: %v, %v", endpoints, err)
		}
		if _, err := c.Client().DiscoveryV1().EndpointSlices("default").Get(ctx, "kubernetes", metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
