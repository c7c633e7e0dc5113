package all_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

func TestDeletionModes(t *testing.T) {
	for _, policy := range []metav1.DeletionPropagation{metav1.DeletePropagationBackground, metav1.DeletePropagationForeground, metav1.DeletePropagationOrphan} {
		t.Run(string(policy), func(t *testing.T) {
			run(t, controller.Config{}, 1, func(c *cluster) {
				c.Create(newDeployment("web", "web:1", 3))
				c.waitRolledOut("web")
				err := c.Client().AppsV1().Deployments("default").Delete(c.Context(), "web", metav1.DeleteOptions{PropagationPolicy: &policy})
				if err != nil {
					t.Fatal(err)
				}
				c.Wait("the deployment is gone", func() bool {
					_, err := c.Client().AppsV1().Deployments("default").Get(c.Context(), "web", metav1.GetOptions{})
					return apierrors.IsNotFound(err)
				})
				if policy == metav1.DeletePropagationForeground && len(c.replicaSets())+len(c.pods()) > 0 {
					t.Error("the owner went before its dependents")
				}
				if policy != metav1.DeletePropagationOrphan {
					c.Wait("all is gone", func() bool { return len(c.replicaSets())+len(c.pods()) == 0 })
					return
				}
				c.Pass(time.Minute)
				sets := c.replicaSets()
				if len(sets) != 1 || len(sets[0].OwnerReferences) != 0 || len(c.pods()) != 3 {
					t.Errorf("left behind: %d replica sets, %d pods", len(sets), len(c.pods()))
				}
			})
		})
	}
}

func TestNamespaceDeletion(t *testing.T) {
	run(t, controller.Config{RootCA: []byte("CA")}, 1, func(c *cluster) {
		d := newDeployment("web", "web:1", 2)
		d.Namespace = "shop"
		c.Create(d, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "held", Finalizers: []string{"example.com/hold"}}})
		c.Wait("pods run", func() bool {
			list, _ := c.Client().CoreV1().Pods("shop").List(c.Context(), metav1.ListOptions{})
			return len(list.Items) == 2
		})
		c.Wait("the default account and the CA exist", func() bool {
			_, err := c.Client().CoreV1().ServiceAccounts("shop").Get(c.Context(), "default", metav1.GetOptions{})
			ca, caErr := c.Client().CoreV1().ConfigMaps("shop").Get(c.Context(), "kube-root-ca.crt", metav1.GetOptions{})
			return err == nil && caErr == nil && ca.Data["ca.crt"] == "CA"
		})
		if err := c.Client().CoreV1().Namespaces().Delete(c.Context(), "shop", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		want := "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
		c.Wait("it is held", func() bool {
			ns, err := c.Client().CoreV1().Namespaces().Get(c.Context(), "shop", metav1.GetOptions{})
			return err == nil && slices.ContainsFunc(ns.Status.Conditions, func(n corev1.NamespaceCondition) bool { return n.Message == want })
		})
		held, err := c.Client().CoreV1().ConfigMaps("shop").Get(c.Context(), "held", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		held.Finalizers = nil
		if _, err := c.Client().CoreV1().ConfigMaps("shop").Update(c.Context(), held, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Wait("it is gone", func() bool {
			_, err := c.Client().CoreV1().Namespaces().Get(c.Context(), "shop", metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	})
}

func TestNodeDeath(t *testing.T) {
	run(t, controller.Config{NodeMonitorGracePeriod: 5 * time.Second}, 3, func(c *cluster) {
		d := newDeployment("web", "web:1", 5)
		five := int64(5)
		for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
			d.Spec.Template.Spec.Tolerations = append(d.Spec.Template.Spec.Tolerations,
				corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &five})
		}
		c.Create(d)
		c.waitRolledOut("web")
		c.Pass(10 * time.Second)
		victim := c.pods()[0].Spec.NodeName
		c.dead.Store(victim)
		start := time.Now()
		c.Wait("five ready elsewhere", func() bool {
			ready := 0
			for _, p := range c.pods() {
				if p.Spec.NodeName != victim && controller.IsReady(&p) {
					ready++
				}
			}
			return ready == 5
		})
		if took := time.Since(start); took > 20*time.Second || took < 10*time.Second {
			t.Errorf("replaced after %s, want 5 s of grace and 5 s of toleration", took)
		}
		node, err := c.Client().CoreV1().Nodes().Get(c.Context(), victim, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, taint := range node.Spec.Taints {
			keys = append(keys, taint.Key+":"+string(taint.Effect))
		}
		slices.Sort(keys)
		if want := []string{"node.kubernetes.io/unreachable:NoExecute", "node.kubernetes.io/unreachable:NoSchedule"}; !slices.Equal(keys, want) {
			t.Errorf("taints %v, want %v", keys, want)
		}
		if err := c.Client().CoreV1().Nodes().Delete(c.Context(), victim, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Wait("podgc has removed the rest", func() bool { return len(c.pods()) == 5 })
	})
}

func TestServiceAddressAndEndpoints(t *testing.T) {
	config := controller.Config{LoadBalancerRange: netip.MustParsePrefix("192.0.2.0/29")}
	run(t, config, 2, func(c *cluster) {
		c.Create(newDeployment("web", "web:1", 3))
		service := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "front"},
			Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeLoadBalancer, Selector: map[string]string{"app": "web"},
				Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromString("http")}},
			},
		}
		// not c.Create, which writes a status as well: the controller is faster
		if _, err := c.Client().CoreV1().Services("default").Create(c.Context(), service, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Wait("three endpoints are ready", func() bool {
			list, err := c.Client().DiscoveryV1().EndpointSlices("default").List(c.Context(), metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=front"})
			if err != nil || len(list.Items) != 1 || len(list.Items[0].Ports) != 1 || *list.Items[0].Ports[0].Port != 8080 {
				return false
			}
			ready := 0
			for _, e := range list.Items[0].Endpoints {
				if *e.Conditions.Ready {
					ready++
				}
			}
			return ready == 3
		})
		c.Wait("the old endpoints are there", func() bool {
			e, err := c.Client().CoreV1().Endpoints("default").Get(c.Context(), "front", metav1.GetOptions{})
			return err == nil && len(e.Subsets) == 1 && len(e.Subsets[0].Addresses) == 3
		})
		c.Wait("it has an address", func() bool {
			s, err := c.Client().CoreV1().Services("default").Get(c.Context(), "front", metav1.GetOptions{})
			return err == nil && len(s.Status.LoadBalancer.Ingress) == 1 && s.Status.LoadBalancer.Ingress[0].IP == "192.0.2.1"
		})
		// in fake time two events of one object have one name, so that only the first is kept
		c.Wait("an event tells", func() bool {
			return slices.Contains(c.messages("Service", "front"), "EnsuringLoadBalancer: Ensuring load balancer")
		})
		if err := c.Client().CoreV1().Services("default").Delete(c.Context(), "front", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Wait("service, slices and endpoints are gone", func() bool {
			_, err := c.Client().CoreV1().Services("default").Get(c.Context(), "front", metav1.GetOptions{})
			slices, _ := c.Client().DiscoveryV1().EndpointSlices("default").List(c.Context(), metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=front"})
			_, endpointsErr := c.Client().CoreV1().Endpoints("default").Get(c.Context(), "front", metav1.GetOptions{})
			return apierrors.IsNotFound(err) && len(slices.Items) == 0 && apierrors.IsNotFound(endpointsErr)
		})
	})
}

// A service without a selector gets its endpoints from what a person wrote.
func TestEndpointsByHand(t *testing.T) {
	run(t, controller.Config{}, 1, func(c *cluster) {
		service := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 5432}}},
		}
		if _, err := c.Client().CoreV1().Services("default").Create(c.Context(), service, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Create(&corev1.Endpoints{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"},
			Subsets: []corev1.EndpointSubset{{
				Addresses: []corev1.EndpointAddress{{IP: "192.0.2.7"}}, Ports: []corev1.EndpointPort{{Port: 5432, Protocol: corev1.ProtocolTCP}},
			}},
		})
		mirrored := func() []string {
			list, err := c.Client().DiscoveryV1().EndpointSlices("default").List(c.Context(), metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=db"})
			if err != nil {
				t.Fatal(err)
			}
			var ips []string
			for _, slice := range list.Items {
				for _, e := range slice.Endpoints {
					ips = append(ips, e.Addresses...)
				}
			}
			return ips
		}
		c.Wait("mirrored", func() bool { return slices.Equal(mirrored(), []string{"192.0.2.7"}) })
		if err := c.Client().CoreV1().Endpoints("default").Delete(c.Context(), "db", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Wait("gone", func() bool { return len(mirrored()) == 0 })
	})
}
